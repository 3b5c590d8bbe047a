"""A small language of conditions on exchanges: `response.status >= 500 and request.method == "GET"`."""

from proxy.visibility.inspecting.where.compiling import Condition, compile_condition
from proxy.visibility.inspecting.where.words import IllFormedCondition

__all__ = ["Condition", "IllFormedCondition", "compile_condition"]
