"""A deterministic simulator of schools: one seed is one history and one digest (SYNC §6.1).

`python -m tests.torture --histories 5000 --seed 1 --json` runs histories, checks what an observer
outside of the product noted, and then runs faulty variants of the logic until each is caught.

What may go wrong (SYNC §6.2), and where it does:

| fault                                       | in histories                                    |
|---------------------------------------------|-------------------------------------------------|
| loss, delay, repetition, reordering         | `net`: requests, replies, late ones in any order|
| truncation, reset, half-open, a black hole  | `net`: cut anywhere; lost replies are the rest  |
| captive portal, proxies, 429 storms         | `net`; headers and TLS: tests/unit/sync, link   |
| certificate and a clock of 2010             | no: tests/end2end, tests/unit/sync              |
| stick: lost, cut, stale, several rooms      | `journeys.carry_to_hub`, `spoil_stick`          |
| hub to hub, three tiers                     | `journeys.hub_to_county`                        |
| power cut, half a commit, torn page         | `FileDisk.cut`, `tear`; MemoryDisk: last commits|
| lying disk of a room and of a hub           | `is_liar`                                       |
| bit rot of a segment, room and hub          | `journeys.rot`, with files                      |
| full disk, also inside SQLite               | `set_full`; tests/fault/test_full_everywhere    |
| EIO, read-only, antivirus, FAT, fake stick  | no: tests/fault, tests/unit/store               |
| frozen disk, restore, image, clone, key lost| `world`                                         |
| hub restored, hub burnt down                | `world._roll_hub_back`, `journeys.lose_hub`     |
| 1970, 2013, 2099, a clock set in mid-day    | `machines.Clock`; other clocks, same facts (I9) |
| the same class on two PCs, months offline   | `people`: two classes for all; no sync for long |
| wrong date tapped, suspend, 500 ppm         | no: evidence only, tests/unit/client            |
| newer types, versions and bodies            | `people._unknown`; messages: tests/unit/sync    |
| enrolment late, a PC revoked                | `journeys.enrol_one`, `revoke`                  |
| lying hub, hostile and forged segments      | `world._hub_lies`, `_hostile`                   |

What must hold (SYNC §2.5), and who checks it here:

| invariant                    | check                                                          |
|------------------------------|----------------------------------------------------------------|
| I1 convergence               | `Observer.judge`: equal sets, equal folds                      |
| I2 durability, I7 monotone   | `check_promises` after each start and at the end; `Keeper`     |
| I3 no loss                   | `judge`: what survived anywhere is everywhere                  |
| I4 once, I5 no overwriting   | `_judge_fold`: shown is what was done, less what was replaced  |
| I6 idempotence               | `World._check_quiet`                                           |
| I8 isolation                 | `check_refused`, `journeys._enrol`; no scope but the room's yet  |
| I9 clocks                    | `runs._compare`                                                |
| I10 bounds                   | message sizes, `check_closed`; memory: tests/fault             |
| I11 progress under loss      | `heal`: begins with a quarter of all requests lost             |
| I12 newer programs           | facts of newer types are kept, counted and forwarded           |
"""
