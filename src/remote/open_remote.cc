#include "remote/remote_spec.h"

namespace kache {

// Apart from the parser of URLs, which needs no engine.
Result<std::unique_ptr<Remote>> open_remote(const RemoteSpec& spec, const Env& env) {
  switch (spec.engine) {
    case Engine::directory: return open_directory_remote(spec);
    case Engine::s3: return open_s3_remote(spec, env);
    case Engine::http: return open_http_remote(spec, env);
    case Engine::redis: return open_redis_remote(spec);
  }
  return Error{ErrorCode::invalid, 0, "unknown engine"};
}

}  // namespace kache
