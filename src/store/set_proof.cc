#include "store/set_proof.h"

#include <algorithm>
#include <cstring>

#include "base/path.h"

namespace kache {
namespace {

constexpr uint64_t kAux = 0x6b73657470726f6f;
constexpr int64_t kBusyNs = int64_t{30} * 1'000'000'000;

class Gatherer {
 public:
  Gatherer(FileSystem& fs, Clock& clock, const SetProofRequest& request)
      : fs_(fs), request_(request), clock_ns_(clock.file_clock_ns()) {}

  SetProof run() {
    const std::vector<Input>& inputs = request_.set.inputs;
    proof_.covered.resize(inputs.size());
    proof_.is_possible = proof_.is_settled = true;
    bytes_.reserve(inputs.size() * 40 + 32);
    bytes_.append(reinterpret_cast<const char*>(request_.action.digest.bytes.data()), 32);
    take_files();
    for (size_t i = 0; i < inputs.size() && proof_.is_possible;) i = inputs[i].kind == InputKind::absent ? take_absents(i) : i + 1;
    proof_.key = digest_bytes(bytes_);
    return std::move(proof_);
  }

 private:
  void word(uint64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }

  void identity(const FileStat& stat, bool with_ctime) {
    for (uint64_t value : {stat.dev, stat.ino, stat.size, static_cast<uint64_t>(stat.mtime_ns)}) word(value);
    word(with_ctime ? static_cast<uint64_t>(stat.ctime_ns) : 0);
    if (with_ctime) proof_.is_settled = proof_.is_settled && settled(stat, clock_ns_);
  }

  void take_files() {
    const std::vector<Input>& inputs = request_.set.inputs;
    std::vector<size_t> files;
    std::vector<std::string> paths;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].kind != InputKind::file) continue;
      files.push_back(i);
      paths.push_back(request_.roots.resolve(inputs[i].path));  // "" is nowhere, and nothing is found there
    }
    std::vector<Result<FileStat>> stats = fs_.stat_all(paths);
    for (size_t i = 0; i < files.size() && proof_.is_possible; ++i) take_file(files[i], stats[i]);
  }

  void take_file(size_t i, const Result<FileStat>& stat) {
    if (!stat.ok() || !stat->is_regular()) {
      proof_.is_possible = false;
      return;
    }
    word(i);
    // The ctime of a file that shares its inode with a blob moves with every hard link that is made of it.
    identity(*stat, !is_sealed(*stat, request_.set.inputs[i].digest));
    proof_.covered[i] = true;
  }

  // The absents of one directory lie side by side.
  size_t take_absents(size_t first) {
    const std::vector<Input>& inputs = request_.set.inputs;
    std::string_view dir = dir_name(inputs[first].path.rest);
    size_t end = first + 1;
    while (end < inputs.size() && inputs[end].kind == InputKind::absent && inputs[end].path.root == inputs[first].path.root &&
           dir_name(inputs[end].path.rest) == dir) {
      ++end;
    }
    std::string path(dir_name(request_.roots.resolve(inputs[first].path)));
    bool is_busy = path.empty() || std::find(request_.busy_dirs.begin(), request_.busy_dirs.end(), path) != request_.busy_dirs.end();
    if (is_busy) return end;
    Result<FileStat> stat = fs_.stat(path);
    if (stat.ok() && clock_ns_ - stat->mtime_ns < kBusyNs) return end;
    if (!stat.ok() && stat.code() != ErrorCode::not_found) return end;
    word(first);
    if (stat.ok()) identity(*stat, true);
    else word(0);
    for (size_t i = first; i < end; ++i) proof_.covered[i] = true;
    return end;
  }

  FileSystem& fs_;
  const SetProofRequest& request_;
  int64_t clock_ns_;
  std::string bytes_;
  SetProof proof_;
};

// The key in the form of an identity, which is how the memo is asked.
FileStat as_identity(const Digest& key) {
  FileStat stat;
  uint64_t words[4];
  std::memcpy(words, key.bytes.data(), sizeof words);
  stat.dev = words[0];
  stat.ino = words[1];
  stat.size = words[2];
  stat.ctime_ns = static_cast<int64_t>(words[3]);
  return stat;
}

}  // namespace

SetProof gather_proof(FileSystem& fs, Clock& clock, const SetProofRequest& request) {
  return Gatherer(fs, clock, request).run();
}

bool is_proven(const Memo& memo, const SetProof& proof) {
  Digest known;
  return proof.is_possible && memo.find(as_identity(proof.key), kAux, &known) && known == proof.key;
}

void keep_proof(Memo& memo, const SetProof& proof) {
  if (proof.is_possible && proof.is_settled) memo.insert(as_identity(proof.key), kAux, proof.key);
}

}  // namespace kache
