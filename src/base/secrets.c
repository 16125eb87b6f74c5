#include "base/secrets.h"

#include <stdatomic.h>

#include "base/mem.h"

static const char stars[] = "***";
_Static_assert(GM_SECRET_SIZE_MIN >= sizeof(stars) - 1, "a text never grows when it is scrubbed");

/* A list that only grows, at its head, so that reading it needs no lock. */
struct secret {
    const struct secret *next;
    size_t n;
    char text[];
};
static _Atomic(const struct secret *) secrets;

static bool is_at(const struct secret *secret, struct gm_str rest)
{
    return secret->n <= rest.n && memcmp(secret->text, rest.p, secret->n) == 0;
}

void gm_secret_add(struct gm_str text)
{
    const struct secret *head = atomic_load(&secrets);
    for (const struct secret *one = head; one != NULL; one = one->next) {
        if (one->n == text.n && is_at(one, text)) {
            return;
        }
    }
    if (text.n < GM_SECRET_SIZE_MIN) {
        return;
    }
    struct secret *secret = gm_alloc(sizeof(*secret) + text.n);
    secret->n = text.n;
    memcpy(secret->text, text.p, text.n);
    secret->next = head;
    while (!atomic_compare_exchange_weak(&secrets, &secret->next, secret)) {
    }
}

/* Length of the longest secret that `rest` begins with; 0: none. */
static size_t longest_at(const struct secret *one, struct gm_str rest)
{
    size_t longest = 0;
    for (; one != NULL; one = one->next) {
        if (one->n > longest && is_at(one, rest)) {
            longest = one->n;
        }
    }
    return longest;
}

size_t gm_secrets_scrub(char *text, size_t n)
{
    const struct secret *head = atomic_load(&secrets);
    if (head == NULL) {
        return n;
    }
    size_t to = 0;
    size_t at = 0;
    while (at < n) {
        size_t secret = longest_at(head, (struct gm_str){text + at, n - at});
        if (secret > 0) {
            memcpy(text + to, stars, sizeof(stars) - 1);
            to += sizeof(stars) - 1;
            at += secret;
        } else {
            text[to++] = text[at++];
        }
    }
    return to;
}

void gm_secrets_forget(void)
{
    const struct secret *one = atomic_exchange(&secrets, NULL);
    while (one != NULL) {
        const struct secret *next = one->next;
        gm_free((void *)(uintptr_t)one);
        one = next;
    }
}
