"""Whatever virtreg needs stalled, cut, slow, full, denied, restarted or killed, at every stage of
its work: no wrong byte, nothing verified lost, no answer later than the limits. What breaks and
what is promised is told in ``docs/explanation/faults.md``.

To read the tests, begin with ``test_upstreams``. They are made of

- ``stage``: what is asked for while something breaks, such as a file, a copy that is to be
  checked, a merged list or a layer; ``Goods`` are one such thing, with the truth about its bytes;
- ``fault``, ``proxy``, ``link``: what may befall a connection, the proxy that lets it happen, and
  one connection through it;
- ``node``, ``disk``, ``bucket`` and ``tests.postgres``: the server, and what it stands on, each to
  be broken in ways of its own;
- ``ground``: a server in which everything that is asked for has a ``Slot``, which is a registry and
  an upstream behind a proxy of its own, so that hundreds of cases run side by side.
  ``Ground.strike`` is one round: publish, ask, hold the answers at a ``Moment``, break something,
  mend it, and have every slot recover;
- ``caller``, ``judging``, ``tally``: a client with a watch, what is wrong with an answer, and the
  counts that the last line tells.

``test_torture`` stands apart: two nodes, twenty clients, and everything at the same time. ``world``
is its upstream, which goes on changing; ``truth`` remembers what was true when; ``visitors`` hold
each answer against that; ``chaos`` is what operators and fate do meanwhile.

What is wrong is a complaint, a text, rather than an exception: ``agree`` tells those of all cases
at once.
"""
