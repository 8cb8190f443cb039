// TLS below a connection to Redis: only where hiredis was built with it (1.0 and newer; Debian 13).
#pragma once

#include <hiredis.h>

#include <string>

#include "base/result.h"

namespace kache {

// The server has to prove that it is `host`, to the authorities that the system trusts (SSL_CERT_FILE names others).
Status start_redis_tls(redisContext* context, const std::string& host);

// False: rediss:// can not work.
bool has_redis_tls();

}  // namespace kache
