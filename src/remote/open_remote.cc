#include "remote/remote_spec.h"
#include "remote/tiers.h"

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

Result<std::unique_ptr<Tiers>> open_tiers(const std::vector<RemoteSpec>& specs, const Env& env, Clock& clock, TiersSettings settings) {
  std::vector<Tier> tiers;
  for (const RemoteSpec& spec : specs) {
    Result<std::unique_ptr<Remote>> remote = open_remote(spec, env);
    if (!remote.ok()) return std::move(remote).error();
    tiers.push_back({std::move(*remote), spec.reads, spec.writes});
  }
  return std::make_unique<Tiers>(std::move(tiers), clock, std::move(settings));
}

}  // namespace kache
