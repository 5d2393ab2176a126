"""The server that ``catsdogs serve`` runs: apps (Voilà), REST API and pages in one process, with the one model.

- `app`: the server, from its start to its end; `configuration`, `routes`, `scheduled_jobs`, `http_server`: its parts
- `base_handler`: errors, security headers and access log, the same for every request
- `auth`: bearer tokens and the operator's sign-in; `rate_limit`, `clients`: requests that a client may make
- `worker_pool`: threads for blocking calls
- `urls`: the addresses of the server itself
- `pages`, `model_page`: the pages without a kernel
- `api`: the REST API
- `kernels`: the kernels behind the apps: their number, environment and end
- `voila`: the apps' pages, what makes them load fast, and all workarounds for defects of other packages
"""

from catsdogs.server.voila.patches import skip_grammar_of_internationalised_addresses

skip_grammar_of_internationalised_addresses()
