// RemoteSetup: the remotes of one configuration, opened, and what is needed to exchange results with them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "remote/exchange.h"
#include "remote/remote_spec.h"
#include "remote/tiers.h"

namespace kache {

// The remotes that a configuration names, nearest first; none where there are none. `invalid`, naming the key and what is
// wrong with it.
Result<std::vector<RemoteSpec>> resolve_remotes(const Config& config);

struct RemoteSetup {
  std::unique_ptr<Tiers> remote;
  ExchangeSettings exchange;
  std::optional<SigningKey> signer;
  std::string description;  // "directory /mnt/cache, s3://bucket"
  bool can_read = false, can_write = false;
  int64_t timeout_ns = 0;   // for one result
};

// `invalid` where something of it can not be used: then nothing of it is. `env` has the credentials. `spool_dir`: where large
// objects may lie on their way from one remote to another.
Result<std::shared_ptr<RemoteSetup>> set_up_remotes(const Config& config, const Env& env, Clock& clock, const std::string& spool_dir);

}  // namespace kache
