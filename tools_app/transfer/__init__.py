"""Entries on their way from one stage to another, as a file of JSON.

The file has what administrators said of the code's entries, and those that they
made without code. It has no primary key, no time and no secret: who writes the same
catalogue twice has the same file twice, and who reads it twice changes nothing more.
"""
