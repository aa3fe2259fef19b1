from typing import Any

from scalecodec.base import RuntimeConfigurationObject as RuntimeConfigurationObject
from scalecodec.base import ScaleBytes as ScaleBytes

def __getattr__(name: str) -> Any: ...
