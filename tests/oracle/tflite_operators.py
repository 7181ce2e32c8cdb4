"""All families of cases for tflite_cases.py."""

import tflite_elementwise  # noqa: F401
import tflite_windows  # noqa: F401
import tflite_products  # noqa: F401
import tflite_moves  # noqa: F401
import tflite_reduces  # noqa: F401
import tflite_control  # noqa: F401
import tflite_recurrent  # noqa: F401
import tflite_options  # noqa: F401
import tflite_sparse  # noqa: F401
import tflite_others  # noqa: F401
import tflite_refused  # noqa: F401
