/* Windows and cells in memory. */
#include "base/mem.h"
#include "view/inside.h"

size_t gm_part_find(struct gm_part *part, gm_ns start, bool *out_found)
{
    size_t low = 0, high = part->windows.n;
    if (part->window < high && part->windows.at[part->window]->start == start) {
        *out_found = true;
        return part->window;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (part->windows.at[middle]->start < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *out_found = low < part->windows.n && part->windows.at[low]->start == start;
    return low;
}

struct gm_window *gm_part_window(struct gm_part *part, gm_ns start)
{
    bool found;
    size_t at = gm_part_find(part, start, &found);
    if (!found) {
        struct gm_window *window = gm_alloc(sizeof(*window));
        window->start = start;
        window->stored = start <= part->last_stored;
        (void)gm_vec_push(&part->windows);
        memmove(&part->windows.at[at + 1], &part->windows.at[at],
                (part->windows.n - 1 - at) * sizeof(part->windows.at[0]));
        part->windows.at[at] = window;
    }
    part->window = at;
    return part->windows.at[at];
}

static struct gm_page *page_of(const struct gm_layout *layout, struct gm_window *window,
                               uint32_t key)
{
    size_t index = key / GM_VIEW_PAGE_KEYS;
    while (window->pages.n <= index) {
        *gm_vec_push(&window->pages) = NULL;
    }
    if (window->pages.at[index] == NULL) {
        size_t cells = GM_VIEW_PAGE_KEYS * layout->words * sizeof(uint64_t);
        window->pages.at[index] = gm_alloc(sizeof(struct gm_page) + cells);
    }
    return window->pages.at[index];
}

/* tidy: params: a cell is named by four of them, and comes with its state */
gm_rc gm_view_cell(struct gm_view *view, int partition, struct gm_window *window, uint32_t key,
                   uint64_t **out_cell, uint8_t **out_state, struct gm_err *err)
{
    struct gm_page *page = page_of(&view->layout, window, key);
    size_t slot = key % GM_VIEW_PAGE_KEYS;
    uint64_t *cell = &page->cells[slot * view->layout.words];
    if (page->states[slot] == GM_CELL_UNKNOWN) {
        bool found = false;
        if (window->stored && key < view->stored_keys) {
            GM_TRY(gm_view_file_cell(view, partition, window->start, key, cell, &found, err));
        }
        page->states[slot] = found ? GM_CELL_CLEAN : GM_CELL_NEW;
    }
    *out_cell = cell;
    *out_state = &page->states[slot];
    return GM_OK;
}

void gm_window_free(const struct gm_layout *layout, struct gm_window *window)
{
    for (size_t p = 0; p < window->pages.n; p++) {
        struct gm_page *page = window->pages.at[p];
        for (size_t i = 0; page != NULL && layout->owns && i < GM_VIEW_PAGE_KEYS; i++) {
            if (page->states[i] >= GM_CELL_CLEAN) {
                gm_cell_deinit(layout, &page->cells[i * layout->words]);
            }
        }
        gm_free(page);
    }
    gm_vec_deinit(&window->pages);
    gm_free(window);
}

/* tidy: params: a cell is named by four of them */
gm_rc gm_view_look(struct gm_view *view, int partition, gm_ns start, uint32_t key, uint64_t *cell,
                   bool *out_found, struct gm_err *err)
{
    struct gm_part *part = &view->parts[partition];
    bool found;
    size_t at = gm_part_find(part, start, &found), index = key / GM_VIEW_PAGE_KEYS;
    const struct gm_window *window = found ? part->windows.at[at] : NULL;
    const struct gm_page *page =
        window != NULL && index < window->pages.n ? window->pages.at[index] : NULL;
    size_t slot = key % GM_VIEW_PAGE_KEYS;
    *out_found = page != NULL && page->states[slot] >= GM_CELL_CLEAN;
    if (*out_found) {
        gm_cell_merge(&view->layout, cell, &page->cells[slot * view->layout.words]);
        return GM_OK;
    }
    bool nothing = (page != NULL && page->states[slot] == GM_CELL_NEW) ||
                   key >= view->stored_keys || start > part->last_stored;
    return nothing ? GM_OK : gm_view_file_cell(view, partition, start, key, cell, out_found, err);
}
