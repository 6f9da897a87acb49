"""The benchmark behind `make bench`: the cost of a send, compared with a bare worker.

Absolute numbers from a shared or busy machine are unreliable. So this project's worker is compared
with a bare JavaScript worker, which makes the same calls to D1 and the mail binding and does
nothing else. Both get the same load in short alternating turns. The difference between them is the
cost of this project's code.
"""

import sys

from tools.prepare import ROOT

# The benchmark uses the worker's own code for SQL statements and for credentials.
sys.path.append(str(ROOT / "src"))
