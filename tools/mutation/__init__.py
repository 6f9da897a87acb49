"""Mutation testing: change one thing in the code, and see whether a test fails.

A changed module is a mutant. If a test fails, the mutant is killed. If all pass, it survives.

    make mutate
    make mutate ONLY="src/store src/web/auth.py" JOBS=1
    make mutate SAMPLE=20

With SAMPLE, only so many mutants of each module run. They are random, but always the same.

Cosmic Ray changes the Python code, and ``sql`` the SQL statements. The tests of each mutant run in
a process of their own, which imports the mutant instead of the file. No file changes.

The outcomes are stored in build/mutation/, so a run that is interrupted, by Ctrl+C or SIGTERM,
continues where it stopped. A mutant runs again if its module changes. A mutant that survived also
runs again if its tests change.
"""
