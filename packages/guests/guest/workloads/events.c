// A simulation by discrete events: customers who wander between the servers of a network of queues.
#include "program.h"

#define CUSTOMERS 40000u
#define SERVERS 512u
#define EVENTS_A_ROUND 20000u
#define NOBODY 0xFFFFFFFFu

const char program_name[] = "events";
uint32_t program_rounds = 40;

struct customer {
  uint32_t next; // in the queue
  uint32_t arrived;
  uint32_t visits;
  uint32_t waited;
  uint32_t chance; // where this customer's random sequence is
  uint32_t server;
};

struct server {
  uint32_t first; // who is being served
  uint32_t last;
  uint32_t served;
  uint32_t length;
};

// Sorted as a heap by time, then by customer, so that the order depends on nothing else.
struct event {
  uint32_t at;
  uint32_t customer;
};

static struct customer customers[CUSTOMERS];
static struct server servers[SERVERS];
static struct event heap[CUSTOMERS + 1];
static uint32_t pending;
static uint32_t now;

static int is_before(struct event one, struct event other) {
  return one.at != other.at ? (int32_t)(one.at - other.at) < 0 : one.customer < other.customer;
}

static void schedule(uint32_t customer, uint32_t after) {
  const struct event event = {now + after, customer};
  uint32_t place = pending++;
  while (place > 0 && is_before(event, heap[(place - 1) / 2])) {
    heap[place] = heap[(place - 1) / 2];
    place = (place - 1) / 2;
  }
  heap[place] = event;
}

static struct event next_event(void) {
  const struct event next = heap[0];
  const struct event last = heap[--pending];
  uint32_t place = 0;
  for (uint32_t child; (child = 2 * place + 1) < pending; place = child) {
    if (child + 1 < pending && is_before(heap[child + 1], heap[child])) child++;
    if (!is_before(heap[child], last)) break;
    heap[place] = heap[child];
  }
  heap[place] = last;
  return next;
}

static uint32_t service_time(struct customer *customer) {
  return 20 + program_random(&customer->chance) % 60;
}

// At a server, or, for `server` SERVERS, on the way to the next one.
static void begin(uint32_t number) {
  struct customer *const customer = &customers[number];
  customer->server = program_random(&customer->chance) % SERVERS;
  customer->arrived = now;
  customer->next = NOBODY;
  struct server *const server = &servers[customer->server];
  server->length++;
  if (server->first == NOBODY) {
    server->first = server->last = number;
    schedule(number, service_time(customer));
  } else {
    customers[server->last].next = number;
    server->last = number;
  }
}

static void finish(uint32_t number) {
  struct customer *const customer = &customers[number];
  struct server *const server = &servers[customer->server];
  customer->visits++;
  customer->waited += now - customer->arrived;
  customer->server = SERVERS;
  server->served++;
  server->length--;
  server->first = customer->next;
  if (server->first != NOBODY) schedule(server->first, service_time(&customers[server->first]));
  schedule(number, 1 + program_random(&customer->chance) % 5000);
}

static void start(void) {
  for (uint32_t i = 0; i < SERVERS; i++) servers[i] = (struct server){NOBODY, NOBODY, 0, 0};
  for (uint32_t i = 0; i < CUSTOMERS; i++) {
    customers[i] = (struct customer){NOBODY, 0, 0, 0, i * 2654435761u | 1, SERVERS};
    schedule(i, program_random(&customers[i].chance) % 5000);
  }
}

uint32_t program_round(uint32_t round) {
  if (round == 0) start();
  for (uint32_t i = 0; i < EVENTS_A_ROUND; i++) {
    const struct event event = next_event();
    now = event.at;
    if (customers[event.customer].server == SERVERS) begin(event.customer);
    else finish(event.customer);
  }
  uint32_t digest = now;
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < SERVERS; i++) {
    digest = program_digest(digest, servers[i].served);
    waiting += servers[i].length;
  }
  uint32_t at_servers = 0;
  for (uint32_t i = 0; i < CUSTOMERS; i++) {
    if (customers[i].server != SERVERS) at_servers++;
    digest = program_digest(digest, customers[i].waited + customers[i].visits);
  }
  return waiting == at_servers ? digest : 0;
}
