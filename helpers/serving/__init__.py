"""A classifier's folder as an HTTP service: what `scripts/serve.py` does, in functions.

    limits       what a request may hold, how many texts may wait, how long a stop may take
    reading      a request's head and body to texts, or a `Refusal`: status and sentence
    batching     the queue: texts that wait are answered together, in one thread beside the event loop
    answers      texts to answers, through `helpers.everyday`
    loading      a folder to a `Service`: classifier, queue, limits
    application  the addresses /classify and /health, every error as JSON
    log          lines without texts
    running      the port, and a stop that answers everything it accepted

A text goes through them in this order:

    body -> reading -> queue -> batch -> texts of similar length together -> model -> answers, to each request

Only `batching` knows of threads, only `application` and `running` know of HTTP; the model is read and run
by `helpers.everyday`, as `scripts/classify.py predict` does. Texts are kept in memory until they are answered
and written nowhere: a line of the log holds an address, a status, a number of texts and a time.

Left out: encryption, passwords, limits for each client, several processes. A reverse proxy in front of the
service has them. What is no HTTP at all gets a 400 in plain text from uvicorn.
"""

from helpers.serving.application import make_application
from helpers.serving.batching import Batcher, QueueFull, Stopping
from helpers.serving.limits import Limits
from helpers.serving.loading import Service, load_service
from helpers.serving.log import keep_log
from helpers.serving.reading import Refusal
from helpers.serving.running import listen, serve

__all__ = [
    "Batcher",
    "Limits",
    "QueueFull",
    "Refusal",
    "Service",
    "Stopping",
    "keep_log",
    "listen",
    "load_service",
    "make_application",
    "serve",
]
