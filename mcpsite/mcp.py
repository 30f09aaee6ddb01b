"""The site's catalogue: importing it registers everything that is served."""

from __future__ import annotations

from mcpsite.catalogue import documents, feedback, prompts, review, vocabulary

__all__ = ["documents", "feedback", "prompts", "review", "vocabulary"]
