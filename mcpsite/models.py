"""What the site keeps in its database: the protocol's vocabulary, and feedback."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

MAX_COMMENT_CHARS = 2000


class Revision(models.Model):
    """One revision of the protocol that this server speaks."""

    name = models.CharField(max_length=32, unique=True)
    position = models.PositiveSmallIntegerField(help_text="0 is the oldest.")
    stateful = models.BooleanField(help_text="Has a handshake and sessions.")

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class Feature(models.Model):
    """One word of the protocol's vocabulary, and the revisions that have it."""

    class Kind(models.TextChoices):
        REQUEST = "request", "request of a client"
        NOTIFICATION = "notification", "notification of a client"
        QUESTION = "question", "question to a client"
        CONTENT = "content", "kind of content"
        FIELD = "field", "field of a type"

    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=128)
    revisions = models.ManyToManyField(Revision, related_name="features")

    class Meta:
        ordering = ["kind", "name"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="feature_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Feedback(models.Model):
    """What a reader thought of a page of the documentation."""

    page = models.CharField(max_length=128, db_index=True)
    rating = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text="1 (useless) to 5 (excellent).",
    )
    comment = models.TextField(blank=True, max_length=MAX_COMMENT_CHARS)
    subject = models.CharField(max_length=255, help_text="Who left it.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "feedback"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rating__gte=1, rating__lte=5),
                name="feedback_rating_1_to_5",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.page}: {self.rating}/5"
