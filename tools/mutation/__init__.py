"""Mutation testing: change one thing in the code, and see whether a test fails.

    make mutate
    make mutate ONLY="src/store src/web/auth.py" JOBS=1

Cosmic Ray makes the mutants of Python, and ``sql`` those of SQL. Each mutant runs in a process of
its own, where the changed module is imported instead of the file. No file changes.

What has been run is kept in build/mutation/, so an interrupted run continues where it stopped. A
mutant runs again if its module changes, and a survivor also if its tests change.
"""
