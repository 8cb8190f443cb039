// `kache doctor --verify`: every entry file and, once each, every blob that one names; what an index says is not asked here.
#include <cstdio>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "cli/doctor.h"
#include "index/walk.h"
#include "store/blob.h"
#include "store/entry.h"
#include "store/memo.h"

namespace kache {
namespace {

enum class BlobState : uint8_t { good, missing, changed };

BlobState check_blob(const CommandContext& context, const Output& output, bool checksums) {
  std::string path = context.layout.blob(output.blob);
  Result<FileStat> stat = context.fs.stat(path);
  if (!stat.ok() || stat->size != output.size) return BlobState::missing;
  if (!is_sealed(*stat, output.blob.digest)) return BlobState::changed;
  if (!checksums) return BlobState::good;
  Result<File> file = open_file(context.fs, path);
  Result<Digest> digest = file.ok() ? digest_file(context.fs, file->handle()) : Result<Digest>(file.error());
  return digest.ok() && *digest == output.blob.digest ? BlobState::good : BlobState::changed;
}

// Every entry file and, once each, every blob that one names; what an index says is not asked here.
class StoreCheck {
 public:
  StoreCheck(const CommandContext& context, const DoctorOptions& options) : context_(context), options_(options) {}

  int run() {
    if (!options_.json) std::puts("Verifying cache entries...\n");
    each_sharded(context_.fs, context_.layout.entries(), [&](const std::string& path, const std::string& name) {
      ++entries_;
      if (!check_entry(path, name)) bad_.push_back(path);
    });
    return report();
  }

 private:
  bool check_entry(const std::string& path, const std::string& name) {
    Digest key;
    Result<std::string> bytes = read_file(context_.fs, path, kMaxEntrySize);
    if (!bytes.ok() || !Digest::parse_hex(name, key)) return false;
    Result<Entry> entry = decode_entry(*bytes, ActionKey{key});
    if (!entry.ok()) return false;
    bool good = true;
    for (const Output& output : entry->outputs) {
      if (output.content == OutputContent::blob) good &= check_once(output) == BlobState::good;
    }
    return good;
  }

  BlobState check_once(const Output& output) {
    auto [place, is_new] = known_.try_emplace(output.blob.digest, BlobState::good);
    if (!is_new) return place->second;
    place->second = check_blob(context_, output, options_.checksums);
    missing_ += place->second == BlobState::missing;
    changed_ += place->second == BlobState::changed;
    if (place->second != BlobState::good && options_.repair) (void)context_.fs.unlink(context_.layout.blob(output.blob));
    return place->second;
  }

  int report() {
    if (options_.json) return report_json();
    auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf("Cache verification complete\n  Entries: %llu total, %llu valid, %llu corrupted\n", number(entries_),
                number(entries_ - bad_.size()), number(bad_.size()));
    std::printf("  Blobs: %llu checked, %llu missing, %llu checksum failures\n", number(known_.size()), number(missing_),
                number(changed_));
    if (bad_.empty()) return 0;
    if (!options_.repair) {
      return fail("cache integrity check failed: " + std::to_string(bad_.size()) +
                  " corrupted entries; run `kache doctor --verify --repair` to remove them");
    }
    repair();
    std::printf("Repairing: removed %llu corrupted entries.\n", number(bad_.size()));
    return 0;
  }

  int report_json() {
    nlohmann::ordered_json out = {{"schema_version", 1},  {"command", "doctor"},       {"entries", entries_},
                                  {"valid", entries_ - bad_.size()}, {"corrupted", bad_.size()}, {"blobs", known_.size()},
                                  {"missing_blobs", missing_}, {"checksum_failures", changed_}, {"repaired", options_.repair && !bad_.empty()}};
    std::puts(out.dump(2).c_str());
    if (options_.repair) repair();
    return bad_.empty() || options_.repair ? 0 : 1;
  }

  void repair() {
    for (const std::string& path : bad_) (void)context_.fs.unlink(path);
  }

  struct DigestHash {
    size_t operator()(const Digest& digest) const { return digest.prefix64(); }
  };
  const CommandContext& context_;
  const DoctorOptions& options_;
  uint64_t entries_ = 0, missing_ = 0, changed_ = 0;
  std::unordered_map<Digest, BlobState, DigestHash> known_;
  std::vector<std::string> bad_;
};

}  // namespace

int verify_store(const CommandContext& context, const DoctorOptions& options) { return StoreCheck(context, options).run(); }

}  // namespace kache
