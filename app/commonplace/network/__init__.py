"""The one door to the network; closed until the user opens it.

No other part of the program opens a socket or imports a library that could;
import contracts and a test that walks every syntax tree hold that, loopback
included. What passes the door:

* it was allowed by the user for this purpose and this origin (`grants`),
* certificates are verified, proxies are asked only if the user said so,
* redirects are few, never leave HTTPS, and leave the origin only for downloads,
* bodies are bounded, silence has a limit, and everything can be stopped.

`grants` can be imported anywhere: it names purposes and origins and asks
nothing of the network. `door` is loaded only where something is fetched, which
is never the window's process.
"""
