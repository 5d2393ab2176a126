"""One process with the apps (Voilà), the REST API and the one model: what ``catsdogs serve`` runs.

- `app`: the Voilà subclass, its routes and its life from first to last request
- `apps`: the pages that have a kernel, and the doors to that kernel
- `rendering`, `front_end`: what makes these pages come sooner
- `early`: what they show before their kernel is there
- `kernels`: how many kernels, what they are told and what they are not
- `local_kernels`: those of this machine
- `spares`: those that wait for a visitor
- `remote_kernels`: those of another machine
- `gateway`: how that machine is asked
- `messages`: how messages between a page and its kernel are framed
- `addresses`: where the server is reached
- `api`: the REST contract
- `openapi`: its description, for programs and people
- `figures`: what operators read over REST
- `rights`: what people ask for with their receipt
- `schemas`: the shapes of what the API takes and gives
- `pages`: landing page, model card, sign-in
- `model_page`: the model card in the reader's language
- `access`: who may do what
- `clients`: who asks
- `limits`: how often a client may ask
- `metrics`: what Prometheus reads
- `replies`: what every answer has in common: errors, headers, access log
- `work`: blocking work, in a bounded pool of threads
"""

import sys

# jsonschema, which Jupyter's event log imports, would build the whole grammar of internet addresses, for a check that
# nobody asks for: a fifth of the time that the server takes to start. It does without where the package is not there.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
