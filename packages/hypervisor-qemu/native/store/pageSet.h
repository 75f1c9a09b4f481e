/* Sets of page frames, one bit each. Walking one costs a look at every 64 frames: 4096 words for 1 GiB. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct page_set {
    uint64_t *words;
    size_t word_count;
};

static inline size_t page_set_words(uint32_t pages)
{
    return ((size_t)pages + 63) / 64;
}

static inline void page_set_add(struct page_set *set, uint32_t frame)
{
    set->words[frame / 64] |= (uint64_t)1 << (frame % 64);
}

static inline void page_set_add_all(struct page_set *set, uint32_t pages)
{
    for (uint32_t frame = 0; frame < pages; frame++)
        page_set_add(set, frame);
}

static inline void page_set_clear(struct page_set *set)
{
    memset(set->words, 0, set->word_count * sizeof *set->words);
}

static inline void page_set_unite(struct page_set *set, const struct page_set *other)
{
    for (size_t word = 0; word < set->word_count; word++)
        set->words[word] |= other->words[word];
}

static inline uint32_t page_set_count(const struct page_set *set)
{
    uint32_t count = 0;
    for (size_t word = 0; word < set->word_count; word++)
        count += (uint32_t)__builtin_popcountll(set->words[word]);
    return count;
}

/* Ascending; the set may not change meanwhile, and `break` leaves only the innermost of three loops. */
#define for_each_page(set, frame)                                                                             \
    for (size_t word_ = 0; word_ < (set)->word_count; word_++)                                                \
        for (uint64_t rest_ = (set)->words[word_]; rest_ != 0; rest_ &= rest_ - 1)                            \
            for (uint32_t frame = (uint32_t)(word_ * 64) + (uint32_t)__builtin_ctzll(rest_), once_ = 1; once_; \
                 once_ = 0)
