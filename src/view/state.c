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

gm_rc gm_view_cell(struct gm_view *view, struct gm_window *window, const struct gm_cell_at *at,
                   struct gm_cell_ref *out_ref, struct gm_err *err)
{
    struct gm_page *page = page_of(&view->layout, window, at->key);
    size_t slot = at->key % GM_VIEW_PAGE_KEYS;
    uint64_t *cell = &page->cells[slot * view->layout.words];
    if (page->states[slot] == GM_CELL_UNKNOWN) {
        bool found = false;
        if (window->stored && at->key < view->stored_keys) {
            GM_TRY(gm_view_file_cell(view, at, cell, &found, err));
        }
        page->states[slot] = found ? GM_CELL_CLEAN : GM_CELL_NEW;
    }
    *out_ref = (struct gm_cell_ref){cell, &page->states[slot]};
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

/* The page in memory that has the cell; NULL: none has. */
static const struct gm_page *find_page(struct gm_part *part, const struct gm_cell_at *at)
{
    bool found;
    size_t window = gm_part_find(part, at->start, &found), index = at->key / GM_VIEW_PAGE_KEYS;
    return found && index < part->windows.at[window]->pages.n
               ? part->windows.at[window]->pages.at[index]
               : NULL;
}

gm_rc gm_view_look(struct gm_view *view, const struct gm_cell_at *at, uint64_t *cell,
                   bool *out_found, struct gm_err *err)
{
    struct gm_part *part = &view->parts[at->partition];
    const struct gm_page *page = find_page(part, at);
    size_t slot = at->key % GM_VIEW_PAGE_KEYS;
    *out_found = page != NULL && page->states[slot] >= GM_CELL_CLEAN;
    if (*out_found) {
        gm_cell_merge(&view->layout, cell, &page->cells[slot * view->layout.words]);
        return GM_OK;
    }
    bool nothing = (page != NULL && page->states[slot] == GM_CELL_NEW) ||
                   at->key >= view->stored_keys || at->start > part->last_stored;
    return nothing ? GM_OK : gm_view_file_cell(view, at, cell, out_found, err);
}
