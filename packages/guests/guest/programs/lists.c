// Pointer chasing: lists that are shuffled, sorted by merging and reversed, and a search tree that is filled and
// walked.
#include <stddef.h>

#include "program.h"

#define NODES 4096

const char program_name[] = "lists";
uint32_t program_rounds = 200;

struct node {
  struct node *next;
  struct node *left;
  struct node *right;
  uint32_t key;
};

static struct node nodes[NODES];

// Links the nodes in an order that jumps all over them.
static struct node *scattered(uint32_t seed) {
  struct node *list = NULL;
  const uint32_t first = seed;
  for (uint32_t i = 0; i < NODES; i++) {
    struct node *const node = &nodes[(i * 1597 + first) % NODES];
    node->key = program_random(&seed);
    node->next = list;
    list = node;
  }
  return list;
}

static struct node *merge(struct node *one, struct node *other) {
  struct node *merged = NULL;
  struct node **end = &merged;
  while (one != NULL && other != NULL) {
    struct node **const smaller = one->key <= other->key ? &one : &other;
    *end = *smaller;
    end = &(*smaller)->next;
    *smaller = *end;
  }
  *end = one != NULL ? one : other;
  return merged;
}

static struct node *sorted(struct node *list) {
  if (list == NULL || list->next == NULL) return list;
  struct node *middle = list;
  for (const struct node *end = list->next; end != NULL && end->next != NULL; end = end->next->next) middle = middle->next;
  struct node *const second = middle->next;
  middle->next = NULL;
  struct node *const first = sorted(list);
  return merge(first, sorted(second));
}

static struct node *reversed(struct node *list) {
  struct node *before = NULL;
  while (list != NULL) {
    struct node *const next = list->next;
    list->next = before;
    before = list;
    list = next;
  }
  return before;
}

static struct node *tree_of(struct node *list) {
  struct node *root = NULL;
  for (struct node *node = list; node != NULL; node = node->next) {
    struct node **place = &root;
    while (*place != NULL) place = node->key < (*place)->key ? &(*place)->left : &(*place)->right;
    node->left = node->right = NULL;
    *place = node;
  }
  return root;
}

static uint32_t depth(const struct node *tree) {
  if (tree == NULL) return 0;
  const uint32_t left = depth(tree->left);
  const uint32_t right = depth(tree->right);
  return 1 + (left > right ? left : right);
}

uint32_t program_round(uint32_t round) {
  struct node *list = scattered(round + 77);
  uint32_t digest = depth(tree_of(list));
  list = reversed(sorted(list));
  for (const struct node *node = list; node != NULL; node = node->next) digest = program_digest(digest, node->key);
  return digest;
}
