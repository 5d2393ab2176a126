"""One process with the apps (Voilà), the REST API and the one model: what ``catsdogs serve`` runs.

- `app`: the Voilà subclass, its routes and its life from first to last request
- `apps`: the pages that have a kernel, and the doors to that kernel
- `kernels`: how many kernels, what they are told and what they are not
- `api`: the REST contract
- `openapi`: its description, for programs and people
- `pages`: landing page, model card, sign-in
- `access`: who may do what
- `replies`: what every answer has in common: errors, headers, access log
- `work`: blocking work, in a bounded pool of threads
"""
