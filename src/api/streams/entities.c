#include "api/streams/inside.h"
