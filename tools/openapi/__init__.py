"""The API description (OpenAPI 3.1) and its reference page, built by `make prepare`.

Everything comes from the code that handles requests:

- `src/routes.py` has the method, path, access rule and rate limits;
- the request and response types in a handler's module are the schemas, with their descriptions;
- `tools/error_catalogue.py` has each error as the Worker raises it; the Worker's own code turns the
  error into its example;
- the handler's docstring has the rest. Its first line is the summary, the following paragraphs are
  the description, and its fields resemble those of Sphinx's HTTP domain:

      :path NAME:, :query NAME:, :header NAME:    a parameter; without text, the
                                                  description in `PARAMETERS` of examples.py
      :body TYPE:                                 the JSON body: the name of its type
      :response STATUS TYPE: description          a success
      :errors: CODE, GROUP, ...                   errors in addition to those of the access rule,
                                                  the rate limit of clients, the body, the
                                                  deployment and the database
      :operation ID: TAG

The text is in docstrings, next to the code. Requests need no further import or object for it. When
the description is built, the names in the docstrings are checked. The tests build it too. Only the
examples are in a file of their own, examples.py.

The files are static: serving them costs the Worker no start-up time and no CPU, and needs no
password.
"""

import sys

from tools.prepare import ROOT

# The types, errors and sentences are the Worker's own.
sys.path.append(str(ROOT / "src"))
