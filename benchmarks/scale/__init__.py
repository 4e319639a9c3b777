"""What grows with the task and what does not: sections of one page, `scale`.

python -m benchmarks.scale --output docs/results

A section is a module with a `TITLE`, `measure() -> rows`, which takes the time, and
`describe(rows) -> text`, which is Markdown made of the rows alone: so a section that is
not measured this time keeps its place on the page.
"""
