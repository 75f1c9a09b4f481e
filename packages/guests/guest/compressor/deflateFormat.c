#include "deflateFormat.h"

#define NEAR 256u // distances up to here have a table entry each, those further off one for each 128
#define FAR_SHIFT 7

static uint8_t length_symbols[MATCH_MAX + 1];
static uint8_t near_symbols[NEAR];
static uint8_t far_symbols[WINDOW_BYTES >> FAR_SHIFT];

const struct range length_ranges[LENGTH_SYMBOLS] = {
    {3, 0},  {4, 0},  {5, 0},  {6, 0},  {7, 0},  {8, 0},  {9, 0},   {10, 0},  {11, 1},  {13, 1},
    {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3},  {43, 3},  {51, 3},  {59, 3},
    {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
};

const struct range distance_ranges[DISTANCE_SYMBOLS] = {
    {1, 0},      {2, 0},      {3, 0},      {4, 0},     {5, 1},     {7, 1},      {9, 2},      {13, 2},
    {17, 3},     {25, 3},     {33, 4},     {49, 4},    {65, 5},    {97, 5},     {129, 6},    {193, 6},
    {257, 7},    {385, 7},    {513, 8},    {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
    {4097, 11},  {6145, 11},  {8193, 12},  {12289, 12}, {16385, 13}, {24577, 13},
};

const uint8_t measure_order[MEASURE_SYMBOLS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

const struct repeat repeats[] = {{3, 6, 2}, {3, 10, 3}, {11, 138, 7}};

void deflate_format_initialise(void) {
  for (uint32_t symbol = 0, length = MATCH_MIN; length <= MATCH_MAX; length++) {
    while (symbol + 1 < LENGTH_SYMBOLS && length_ranges[symbol + 1].base <= length) symbol++;
    length_symbols[length] = (uint8_t)symbol;
  }
  for (uint32_t symbol = 0, distance = 1; distance <= WINDOW_BYTES; distance++) {
    while (symbol + 1 < DISTANCE_SYMBOLS && distance_ranges[symbol + 1].base <= distance) symbol++;
    if (distance <= NEAR) near_symbols[distance - 1] = (uint8_t)symbol;
    far_symbols[(distance - 1) >> FAR_SHIFT] = (uint8_t)symbol;
  }
}

uint32_t length_symbol_of(uint32_t length) {
  return length_symbols[length];
}

uint32_t distance_symbol_of(uint32_t distance) {
  return distance <= NEAR ? near_symbols[distance - 1] : far_symbols[(distance - 1) >> FAR_SHIFT];
}
