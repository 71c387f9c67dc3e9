/* tests/model/lane.pml: commit, act, complete, crash: one lane of calls, on one page.
 *
 * A homeserver says N messages, each until it is answered. gitterd stores them and makes one call
 * for each at a peer. gitterd may crash between any two steps, connections may be cut, a commit may
 * fail. Once faults are over everything drains, and then each message took effect at the peer once
 * and in order, or was refused there for good and that was told.
 *
 * Three kinds of call (runtime/call.h). Without a macro it is a post to Gitter, NEVER repeated: the
 * peer knows no ids, and after a lost answer its list is read, twice (actors/room/room_look.c). All
 * texts are the same, so that a look cannot tell messages by what they say. SEND is a message to
 * Matrix, NEVER repeated either: it carries its Gitter id and a transaction id, the room is read
 * once for the first, and then it is sent again under the second (actors/room/room_sent.c). FREELY
 * is a call under an id that is simply made again.
 *
 * The capital names that are not defined here each take a protection away, or break an assumption;
 * tests/model/run lists them. One batch of the engine is one turn here: that is the finest grain.
 */
#define N 3
#define CRASHES 2
#define CUTS 2
#define FULLS 1

/* What is never to happen; SOUGHT chooses among them. */
#define LOST 1
#define DOUBLED 2
#define MISPLACED 4
#define UNTIDY 8
#ifndef SOUGHT
#define SOUGHT (LOST | DOUBLED | MISPLACED | UNTIDY)
#endif
#define never(what, is_so) assert((SOUGHT & what) == 0 || !(is_so))

mtype = { NOTHING, POST, LOOK, LOOK_AGAIN, DONE, FAILED, UNKNOWN, PRESENT, ABSENT };

/* On disk. */
bool seen[N + 1];         /* table seen_events */
chan outbox = [8] of { byte } /* the lane's rows in their order */
mtype form = POST;        /* of the lane's first row: turn_call_instead changes it in its place */
byte claimed;             /* table message_map: messages of the peer that stand for one of ours */
byte ends[N + 1];
bool told[N + 1];

/* The homeserver. */
byte said;                /* what it says now; 0: nothing */
bool is_asking;           /* on a connection that lives */
byte accepted;            /* how many were answered */

/* The peer. */
byte effects[N + 1];
byte latest;
byte entries;             /* its list */
bool refuses[N + 1];      /* for good */
bool knows[N + 1];        /* ids it has seen */
byte late[N + 1];         /* requests it still works on though nobody waits for their answer */

/* The connection to the peer. */
mtype request = NOTHING;
mtype answer = NOTHING;

/* In gitterd's memory: gone with a crash. */
byte input;               /* engine: the turn at hand is about this message ... */
mtype end = NOTHING;      /* ... or about this end of the lane's first call */
bool is_durable;          /* its commit has succeeded */
byte head;                /* courier: the lane's first call; 0: none */
bool is_inherited;        /* it was in the outbox at the start: it may have been sent before */
bool is_sent;

byte crashes, cuts, fulls;
bool is_calm, is_drained;

#if defined(FREELY) || defined(SEND)
#define has_id true
#else
#define has_id false
#endif
#ifdef FREELY
#define MAY_BE_UNKNOWN(form) false
#else
#define MAY_BE_UNKNOWN(form) (form == POST)
#endif
#ifdef IN_BETWEEN
#define is_in_between false
#else
#define is_in_between (end == ABSENT || (form == POST && !is_sent))
#endif
#define is_idle (input == 0 && end == NOTHING)
#define nothing_late (late[1] + late[2] + late[3] == 0)

inline take_effect(m)
{
    if
    :: refuses[m] -> skip
    :: !refuses[m] && has_id && knows[m] -> skip
    :: !refuses[m] && !(has_id && knows[m]) ->
        effects[m]++;
        never(DOUBLED, effects[m] > 1);
        never(MISPLACED, m < latest);
        latest = m;
        entries++;
#ifndef NEW_ID
        knows[m] = true
#endif
    fi
}

/* The answer will not come; the request may be gone, or the peer may be at it for a while. */
inline cut_connection()
{
    if
    :: request == POST && answer == NOTHING -> late[head]++
    :: true
    fi;
    request = NOTHING;
    answer = NOTHING
}

/* The row goes with the commit of the turn that handles its end. */
inline end_first(m)
{
    ends[m]++;
    form = POST;
    if
    :: outbox??[eval(m)] -> outbox??eval(m)
    :: else
    fi
}

/* courier_set_head, courier_read_head */
inline read_head(inherited)
{
    head = 0;
    is_sent = false;
    is_inherited = inherited;
    if
    :: outbox?[head] -> outbox?<head>
    :: empty(outbox)
    fi
}

proctype gitterd()
{
    byte m;
start:
    atomic {
        input = 0;
        end = NOTHING;
        is_durable = false;
        is_asking = false;
        cut_connection();
        read_head(true); /* courier_start */
        m = 0
    }
    do
    /* Step. A transaction comes in (engine_post, turn_run_input): a draft, and nothing else. */
    :: atomic { is_idle && said != 0 && !is_asking ->
        is_asking = true;
        input = said;
#ifdef ACK_BEFORE_COMMIT
        accepted = said; said = 0; is_asking = false;
#endif
#ifdef CALL_BEFORE_COMMIT
        if
        :: head == 0 && !seen[input] -> head = input; is_sent = false; is_inherited = false
        :: else
        fi
#endif
    }

    /* Commit (engine.c, commit): all that the turn changes in one transaction of the store. */
    :: atomic { input != 0 && !is_durable ->
        is_durable = true;
        if
        :: !seen[input] -> outbox!input
#ifdef DEDUPE_OFF
        :: seen[input] -> outbox!input
#else
        :: seen[input]
#endif
        fi;
        seen[input] = true
    }
    :: atomic { end != NOTHING && !is_durable ->
        is_durable = true;
        m = head;
        if
        :: end == DONE || end == PRESENT -> claimed++; end_first(m)
        :: end == FAILED -> told[m] = true; end_first(m)
        :: end == UNKNOWN ->
#if defined(NO_LOOK)
            form = POST           /* said again without having looked */
#elif defined(GIVE_UP)
            end_first(m)          /* nobody looks, nobody says it again */
#else
            form = LOOK           /* room_do_look */
#endif
#ifdef TO_THE_END
            outbox??eval(m);
            outbox!m
#endif
        :: end == ABSENT && form == LOOK ->
#if defined(LOOK_ONCE) || defined(SEND)
            form = POST
#else
            form = LOOK_AGAIN     /* room_do_compare */
#endif
        :: end == ABSENT && form == LOOK_AGAIN -> form = POST
        fi;
        never(UNTIDY, ends[m] > 1);
        m = 0
    }
    /* ... or it fails (engine.c, discard): who can say it again does, an end is tried again. */
    :: atomic { !is_calm && fulls < FULLS && !is_idle && !is_durable ->
        fulls++;
        if
        :: input != 0 -> input = 0; is_asking = false
        :: else
        fi
    }

    /* Act (engine.c, act): the answer leaves, the courier has the next call. */
    :: atomic { input != 0 && is_durable ->
        if
        :: is_asking && said == input ->
            never(LOST, !seen[input]);
            accepted = input; said = 0; is_asking = false
        :: else
        fi;
        if
        :: head == 0 -> read_head(false) /* courier_add */
        :: else
        fi;
        input = 0;
        is_durable = false
    }
    :: atomic { end != NOTHING && is_durable ->
        read_head(false);         /* courier_ended */
        end = NOTHING;
        is_durable = false
    }

    /* Call (courier.c, begin_call). */
    :: atomic { head != 0 && !is_sent && end == NOTHING &&
                (form != LOOK_AGAIN || nothing_late) -> /* waits longer than the peer may take */
        is_sent = true;
        if
#ifndef INHERIT_AS_NEW
        :: is_inherited && MAY_BE_UNKNOWN(form) /* no request: its end is UNKNOWN */
#endif
        :: else -> request = form
        fi
    }

    /* Complete (courier_ends.c): an end becomes an input of the engine. */
    :: atomic { is_idle && is_sent && answer != NOTHING ->
        end = answer;
        request = NOTHING;
        answer = NOTHING
    }
    :: atomic { is_idle && is_sent && request == NOTHING -> end = UNKNOWN }

    /* Faults. */
    :: atomic { !is_calm && cuts < CUTS && request != NOTHING ->
        cuts++;
        is_sent = MAY_BE_UNKNOWN(request);
        cut_connection()
    }
    :: atomic { !is_calm && cuts < CUTS && is_asking -> cuts++; is_asking = false }
    :: atomic { !is_calm && crashes < CRASHES -> crashes++; goto start }
    od
}

proctype homeserver()
{
    byte m = 1;
    do
    :: atomic { m <= N && said == 0 -> said = m; m++ }
    od
}

proctype peer()
{
    do
    :: atomic { request == POST && answer == NOTHING ->
        take_effect(head);
        if
        :: refuses[head] -> answer = FAILED
        :: else -> answer = DONE
        fi
    }
    :: atomic { (request == LOOK || request == LOOK_AGAIN) && answer == NOTHING ->
        if
#if defined(SEND)
        :: effects[head] > 0 -> answer = PRESENT
#elif defined(CLAIMS_OFF)
        :: entries > 0 -> answer = PRESENT
#else
        :: entries > claimed -> answer = PRESENT
#endif
        :: else -> answer = ABSENT
        fi
    }
    :: atomic { late[1] > 0 -> late[1]--; take_effect(1) }
    :: atomic { late[2] > 0 -> late[2]--; take_effect(2) }
    :: atomic { late[3] > 0 -> late[3]--; take_effect(3) }
#ifdef FORGETS
    /* It restarts, and what it was at goes with it; or half an hour has passed. Neither fits between
     * a look and the send that follows it at once. */
    :: atomic { !is_calm && nothing_late && request == NOTHING && knows[1] && !is_in_between ->
        knows[1] = false; knows[2] = false; knows[3] = false
    }
#endif
    od
}

/* When nothing moves any more, nothing is missing. */
proctype judge()
{
    byte m;
    is_calm = true;
    timeout ->
    atomic {
        never(UNTIDY, accepted < N || len(outbox) > 0 || head != 0 || !is_idle);
        for (m : 1 .. N) {
            never(LOST, effects[m] + told[m] == 0);
            never(DOUBLED, effects[m] + told[m] > 1);
            never(UNTIDY, ends[m] != 1)
        }
        is_drained = true
    }
}

init {
    atomic {
        byte m;
        for (m : 1 .. N) {
            if
            :: refuses[m] = true
            :: refuses[m] = false
            fi
        }
        run gitterd();
        run homeserver();
        run peer();
        run judge()
    }
}

/* Nothing goes round in circles. */
ltl drains { <> is_drained }
