/*
 * The protocol of the socket: frames of a header and a payload, little-endian, both sides on one machine. RMK sends
 * requests, and the library responds to each with its sequence number; the next one may be sent after the response.
 * In the other direction the library sends KIND_PAUSED inside the pause and waits for KIND_CONTINUE, and it reports
 * KIND_LOST. Any other frame that arrives while it waits ends the connection.
 *
 * src/control/libraryProtocol.ts is the other side of this file; test/libraryProtocol.test.ts compares the two.
 */
#pragma once

#include <stdint.h>

#define PROTOCOL_MAGIC 0x314b4d52u /* "RMK1" */
#define PROTOCOL_VERSION 3
/* Of a request; responses may be longer. */
#define MAX_REQUEST_BYTES (1u << 20)

enum kind {
    KIND_RESPONSE = 1, /* to the request of that sequence number */
    KIND_FAILURE = 2, /* struct failure_payload and the message; also a response */

    KIND_HELLO = 16,
    KIND_START = 17,
    KIND_SETTINGS = 18,
    KIND_CHECKPOINT = 19,
    KIND_ROLLBACK = 20,
    KIND_FRAMES = 21,
    KIND_PAGE = 22,
    KIND_VERIFY_LOG = 23,
    KIND_VERIFY_STATE = 24,
    KIND_RELEASE_LOG = 25,
    KIND_RELEASE_STATE = 26,
    KIND_WRITE = 27,
    KIND_WRITTEN = 28,
    KIND_END = 29,
    KIND_STATE = 30,
    KIND_SNAPSHOT = 31, /* control by QMP: where to put device states for loading */
    KIND_REPLACED = 32, /* RAM was written in its file, which no tracker sees: drops every log */

    KIND_PAUSED = 48,   /* from the library: struct paused_payload */
    KIND_CONTINUE = 49, /* to the library, empty */
    KIND_LOST = 50,     /* from the library: the reason as text */

    /* Control by QMP only, while a request is executed: */
    KIND_SAVE = 51,     /* from the library: have QEMU save its device state to the file of this path */
    KIND_LOAD = 52,     /* from the library: have QEMU load the snapshot */
    KIND_EXECUTED = 53, /* to the library: struct executed_payload; after a save only if it failed */
};

struct frame_header {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;
    uint64_t sequence;
    uint32_t length; /* of the payload */
    uint32_t reserved; /* 0 */
};

struct failure_payload {
    uint32_t code; /* enum failure_code */
    uint32_t reserved;
};

/* Response to KIND_HELLO, followed by the reason why calls within QEMU are not possible, as text. */
struct hello_payload {
    uint64_t ram_bytes;
    uint32_t process;
    uint32_t in_process; /* 1: calls within QEMU are possible */
};

#define CONTROL_IN_PROCESS 1u
#define CONTROL_QMP 2u

#define SETTING_AUDIT 1u
#define SETTING_CALL_IN_PAUSE 2u

struct start_payload {
    uint32_t control;
    uint32_t settings;
    uint32_t log_pages;
    uint32_t states;
    uint32_t state_bytes;
    uint32_t pause_limit_ms; /* how long the guest may wait for KIND_CONTINUE */
    uint32_t runs;         /* 1: the VM runs, and is to run on if RMK dies */
    uint32_t reserved;
};

struct settings_payload {
    uint32_t settings;
    uint32_t reserved;
};

/* Requests about one log or one state. */
struct handle_payload {
    uint64_t handle;
};

/* KIND_ROLLBACK, followed by the handles of the logs, newest first. */
struct rollback_payload {
    uint64_t state;
};

struct page_payload {
    uint64_t log;
    uint32_t frame;
    uint32_t reserved;
};

/* KIND_WRITE, followed by the bytes. */
struct write_payload {
    uint64_t address; /* guest-physical */
    uint64_t offset;  /* of that address in guest RAM */
};

/*
 * KIND_SNAPSHOT, followed by the offsets (u64 each) of the clusters of the snapshot's device state in its file, the
 * path of that file with a zero byte, and the path of the QMP socket with a zero byte.
 */
struct snapshot_payload {
    uint32_t cluster_bytes;
    uint32_t cluster_count;
};

struct executed_payload {
    uint32_t done; /* 1, or 0 if QEMU refused */
    uint32_t reserved;
};

#define ROLLBACK_STEPS 8

/*
 * Response to KIND_CHECKPOINT and KIND_ROLLBACK, followed by the page frames written in the epoch that ended (u32
 * each), the offsets at which the device state differs (u32 each).
 */
struct checkpoint_payload {
    uint64_t state;
    uint64_t state_bytes;
    uint64_t log;
    uint64_t closed_log; /* 0: none */
    uint64_t at_ns;
    uint64_t pause_ns;
    uint64_t state_ns;
    uint64_t pages_ns;
    uint64_t pre_pass_pages;
    uint64_t pages_restored;
    uint64_t ram_digest;
    uint64_t step_ns[ROLLBACK_STEPS]; /* of a rollback: stop, verify, pages, reset, load, pages again, audit */
    uint32_t audited;
    uint32_t frame_count;
    uint32_t difference_count;
    uint32_t reserved;
};

#define PAUSED_FOR_CHECKPOINT 1u
#define PAUSED_FOR_ROLLBACK 2u

struct paused_payload {
    uint32_t what;
    uint32_t reserved;
    uint64_t at_ns;
};

struct count_payload {
    uint64_t count;
};
