"""The search page and its API: search, and ask why.

`intentx serve` starts it. Its parts are imported where they are used: starlette and uvicorn come with
the extra ``[serve]``.
"""
