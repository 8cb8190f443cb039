// Where things lie below the cache directory. The only place that knows names; docs/formats.md describes the contents.
#pragma once

#include <string>

#include "base/digest.h"
#include "base/file_system.h"

namespace kache {

class StoreLayout {
 public:
  explicit StoreLayout(std::string cache_dir) : root_(std::move(cache_dir)), v1_(root_ + "/v1") {}

  const std::string& root() const { return root_; }
  const std::string& v1() const { return v1_; }

  std::string blobs() const { return v1_ + "/blobs"; }
  std::string entries() const { return v1_ + "/entries"; }
  std::string traces() const { return v1_ + "/traces"; }
  std::string blob(const BlobId& id) const { return sharded("/blobs/", id.digest); }
  std::string entry(const ActionKey& key) const { return sharded("/entries/", key.digest); }
  std::string trace(const InvocationKey& key) const { return sharded("/traces/", key.digest); }

  std::string origins() const { return v1_ + "/same"; }
  std::string same(const Digest& content) const { return sharded("/same/", content); }

  std::string memo() const { return v1_ + "/memo"; }
  std::string capabilities() const { return v1_ + "/capabilities"; }
  std::string toolchains() const { return v1_ + "/toolchains"; }
  std::string edit_states() const { return v1_ + "/edit"; }
  std::string quarantine() const { return v1_ + "/quarantine"; }
  std::string temporary() const { return v1_ + "/tmp"; }
  std::string locks() const { return v1_ + "/locks"; }
  // One of a fixed number of lock files, so that they never pile up: compiles of two invocations may share one.
  std::string invocation_lock(const InvocationKey& key) const { return v1_ + "/locks/c" + key.hex().substr(0, 4); }
  // Held for the moment of reading, changing and publishing a file of traces.
  std::string trace_lock(const InvocationKey& key) const { return v1_ + "/locks/t" + key.hex().substr(0, 2); }
  std::string sync_mark() const { return v1_ + "/synced"; }
  std::string sync_lock() const { return v1_ + "/locks/sync"; }
  std::string gc_lock() const { return v1_ + "/locks/gc"; }
  // What is still to be sent to a remote; and what could not be.
  std::string outbox() const { return v1_ + "/outbox"; }
  std::string outgoing(const ActionKey& key) const { return outbox() + "/" + key.hex(); }
  std::string failed_outbox() const { return outbox() + "/failed"; }
  // Hits that shall be compiled again; and what became of those where that is to be remembered.
  std::string rechecks() const { return v1_ + "/recheck"; }
  std::string recheck(const ActionKey& key) const { return rechecks() + "/" + key.hex(); }
  std::string verdicts() const { return rechecks() + "/judged"; }
  std::string verdict(const ActionKey& key) const { return verdicts() + "/" + key.hex(); }
  std::string recheck_lock() const { return v1_ + "/locks/recheck"; }
  std::string daemon_lock() const { return root_ + "/daemon.lock"; }
  std::string daemon_start_lock() const { return v1_ + "/locks/daemon"; }
  // Its mtime: when a daemon was last asked in vain, or could not be started.
  std::string daemon_silent() const { return v1_ + "/daemon-silent"; }
  std::string transfers() const { return root_ + "/transfers.jsonl"; }
  std::string index() const { return v1_ + "/index.db"; }
  std::string events() const { return root_ + "/events.jsonl"; }

 private:
  std::string sharded(const char* kind, const Digest& digest) const {
    std::string hex = digest.hex();
    return v1_ + kind + hex.substr(0, 2) + "/" + hex;
  }
  std::string root_, v1_;
};

// Creates the cache directory and the fixed directories below it, all private (0700).
Status prepare_store(FileSystem& fs, const StoreLayout& layout);

}  // namespace kache
