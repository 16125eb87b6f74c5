#include "auth/access.h"

const char *const gm_access_role_names[] = {"none", "reader", "writer", "admin", NULL};

const char *gm_access_role_name(enum gm_access_role role)
{
    return gm_access_role_names[role];
}
