#include "store/traces.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "store/framing.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KTRACE02";

// Numbers texts in the order of their first use.
class StringTable {
 public:
  uint64_t number(const std::string& text) {
    auto [place, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return place->second;
  }
  void write(ByteWriter& out) const {
    out.varint(texts_.size());
    for (const std::string& text : texts_) out.text(text);
  }

 private:
  std::unordered_map<std::string, uint64_t> numbers_;
  std::vector<std::string> texts_;
};

struct DigestHash {
  size_t operator()(const Digest& digest) const { return digest.prefix64(); }
};

struct RowHash {
  static uint64_t mix(uint64_t a, uint64_t b) { return a ^ (b + 0x9e3779b97f4a7c15 + (a << 6) + (a >> 2)); }
  size_t operator()(const Input& input) const {
    uint64_t kind = static_cast<uint64_t>(input.kind) << 16 | static_cast<uint64_t>(input.path.root.kind) << 8 | input.path.root.index;
    return mix(mix(input.digest.prefix64(), kind), std::hash<std::string>()(input.path.rest));
  }
  size_t operator()(const EnvInput& env) const {
    return mix(env.digest.prefix64() + env.is_set, std::hash<std::string>()(env.name));
  }
};

// Rows in the order of their first use, each once.
template <class Row>
class RowTable {
 public:
  void append(const Row& row, std::vector<Rows>& runs) {
    auto [place, is_new] = numbers_.try_emplace(row, static_cast<uint32_t>(rows_.size()));
    if (is_new) rows_.push_back(row);
    if (!runs.empty() && runs.back().first + runs.back().count == place->second) runs.back().count++;
    else runs.push_back({place->second, 1});
  }
  size_t size() const { return rows_.size(); }
  std::vector<Row> take() && { return std::move(rows_); }

 private:
  std::unordered_map<Row, uint32_t, RowHash> numbers_;
  std::vector<Row> rows_;
};

template <class Row, class Function>
void each_row(const std::vector<Row>& rows, const std::vector<Rows>& runs, Function&& function) {
  for (const Rows& run : runs) {
    for (uint32_t i = run.first; i < run.first + run.count; ++i) function(rows[i]);
  }
}

// The tables anew, for the candidates that are kept.
class Packer {
 public:
  // False when the candidate would be one too many.
  bool append(const ActionKey& action, const std::vector<Binding>& bindings, const std::vector<Input>& inputs,
              const std::vector<Rows>& input_runs, const std::vector<EnvInput>& env, const std::vector<Rows>& env_runs) {
    bool is_full = packed_.size() >= kMaxCandidates || (packed_.size() >= kManyCandidates && inputs_.size() > kManyInputs);
    if (is_full) return false;
    Candidate candidate;
    candidate.action = action;
    candidate.bindings = bindings;
    each_row(inputs, input_runs, [&](const Input& input) { inputs_.append(input, candidate.inputs); });
    each_row(env, env_runs, [&](const EnvInput& variable) { env_.append(variable, candidate.env); });
    packed_.push_back(std::move(candidate));
    return true;
  }
  void finish(Traces& traces) && {
    traces.inputs = std::move(inputs_).take();
    traces.env = std::move(env_).take();
    traces.candidates = std::move(packed_);
  }

 private:
  RowTable<Input> inputs_;
  RowTable<EnvInput> env_;
  std::vector<Candidate> packed_;
};

template <class Row>
std::vector<Rows> all_of(const std::vector<Row>& rows) {
  if (rows.empty()) return {};
  return {{0, static_cast<uint32_t>(rows.size())}};
}

void write_root(ByteWriter& out, RootRef root) {
  out.u8(static_cast<uint8_t>(root.kind));
  out.u8(root.index);
}

RootRef read_root(ByteReader& in) {
  uint8_t kind = in.u8();
  uint8_t index = in.u8();
  if (!valid_root(kind)) in.fail();
  return {static_cast<RootKind>(kind), index};
}

bool has_digest(InputKind kind) { return kind != InputKind::absent; }

void write_runs(ByteWriter& out, const std::vector<Rows>& runs) {
  out.varint(runs.size());
  for (const Rows& run : runs) {
    out.varint(run.first);
    out.varint(run.count);
  }
}

// A set has each row at most once, so runs never add up to more than the table.
std::vector<Rows> read_runs(ByteReader& in, size_t rows) {
  std::vector<Rows> runs(in.count(2));
  uint64_t total = 0;
  for (Rows& run : runs) {
    uint64_t first = in.varint(), count = in.varint();
    if (count > rows || first > rows - count || (total += count) > rows) {
      in.fail();
      return {};
    }
    run = {static_cast<uint32_t>(first), static_cast<uint32_t>(count)};
  }
  return runs;
}

void write_body(ByteWriter& out, StringTable& strings, const Traces& traces) {
  out.varint(traces.inputs.size());
  for (const Input& input : traces.inputs) {
    out.u8(static_cast<uint8_t>(input.kind));
    write_root(out, input.path.root);
    out.varint(strings.number(input.path.rest));
    if (has_digest(input.kind)) out.digest(input.digest);
  }
  out.varint(traces.env.size());
  for (const EnvInput& env : traces.env) {
    out.varint(strings.number(env.name));
    out.u8(env.is_set);
    if (!env.is_set) continue;
    out.digest(env.digest);
    out.varint(strings.number(env.shown));
  }
  out.varint(traces.candidates.size());
  for (const Candidate& candidate : traces.candidates) {
    out.digest(candidate.action.digest);
    write_runs(out, candidate.inputs);
    write_runs(out, candidate.env);
    out.varint(candidate.bindings.size());
    for (const Binding& binding : candidate.bindings) {
      write_root(out, binding.root);
      out.varint(strings.number(binding.path));
    }
  }
}

void read_body(ByteReader& in, const std::vector<std::string_view>& strings, Traces& traces) {
  auto text = [&]() -> std::string {
    uint64_t number = in.varint();
    if (number < strings.size()) return std::string(strings[number]);
    in.fail();
    return {};
  };
  traces.inputs.resize(in.count(4));
  for (Input& input : traces.inputs) {
    uint8_t kind = in.u8();
    if (kind < 1 || kind > static_cast<uint8_t>(InputKind::times)) in.fail();
    if (!in.ok()) return;
    input.kind = static_cast<InputKind>(kind);
    input.path.root = read_root(in);
    input.path.rest = text();
    if (has_digest(input.kind)) input.digest = in.digest();
  }
  traces.env.resize(in.count(2));
  for (EnvInput& env : traces.env) {
    if (!in.ok()) return;
    env.name = text();
    env.is_set = in.u8() != 0;
    if (!env.is_set) continue;
    env.digest = in.digest();
    env.shown = text();
  }
  traces.candidates.resize(in.count(35));
  for (Candidate& candidate : traces.candidates) {
    candidate.action.digest = in.digest();
    candidate.inputs = read_runs(in, traces.inputs.size());
    candidate.env = read_runs(in, traces.env.size());
    uint64_t bindings = in.count(3);
    for (uint64_t i = 0; i < bindings && in.ok(); ++i) {
      RootRef root = read_root(in);
      candidate.bindings.push_back({root, text()});
    }
    if (!in.ok()) return;
  }
}

}  // namespace

void Traces::add(const InputSet& set, const ActionKey& action) {
  Packer packer;
  packer.append(action, set.bindings, set.inputs, all_of(set.inputs), set.env, all_of(set.env));
  for (const Candidate& old : candidates) {
    if (old.action == action) continue;
    if (!packer.append(old.action, old.bindings, inputs, old.inputs, env, old.env)) break;
  }
  std::move(packer).finish(*this);
}

void Traces::add_older(const Traces& other) {
  Packer packer;
  std::unordered_set<Digest, DigestHash> known;
  bool is_full = false;
  auto pack = [&](const Traces& from) {
    for (const Candidate& one : from.candidates) {
      if (is_full || !known.insert(one.action.digest).second) continue;
      is_full = !packer.append(one.action, one.bindings, from.inputs, one.inputs, from.env, one.env);
    }
  };
  pack(*this);
  pack(other);
  std::move(packer).finish(*this);
}

InputSet Traces::set_of(const Candidate& candidate) const {
  InputSet set;
  each_row(inputs, candidate.inputs, [&](const Input& input) { set.inputs.push_back(input); });
  each_row(env, candidate.env, [&](const EnvInput& variable) { set.env.push_back(variable); });
  set.bindings = candidate.bindings;
  return set;
}

std::vector<bool> Traces::inputs_that_differ() const {
  std::vector<int64_t> change(inputs.size() + 1);  // in the number of candidates, from one row to the next
  for (const Candidate& candidate : candidates) {
    for (const Rows& run : candidate.inputs) {
      change[run.first]++;
      change[run.first + run.count]--;
    }
  }
  std::vector<bool> differ(inputs.size());
  int64_t users = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    users += change[i];
    differ[i] = users < static_cast<int64_t>(candidates.size()) && inputs[i].kind == InputKind::file;
  }
  return differ;
}

std::string encode_traces(const Traces& traces) {
  StringTable strings;
  ByteWriter body;
  write_body(body, strings, traces);

  ByteWriter out;
  out.digest(traces.key.digest);
  out.text(traces.crate_name);
  out.varint(traces.parts.size());
  for (const KeyPart& part : traces.parts) {
    out.text(part.label);
    out.text(part.text);
  }
  strings.write(out);
  out.raw(body.bytes());
  return seal_frame(kMagic, std::move(out).take());
}

Result<Traces> decode_any_traces(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  Traces traces;
  traces.key.digest = in.digest();
  traces.crate_name = in.text();
  uint64_t parts = in.count(2);
  for (uint64_t i = 0; i < parts && in.ok(); ++i) {
    std::string label(in.text());
    traces.parts.push_back({std::move(label), std::string(in.text())});
  }
  std::vector<std::string_view> strings(in.count());
  for (std::string_view& text : strings) text = in.text();
  read_body(in, strings, traces);
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed traces"};
  return traces;
}

Result<Traces> decode_traces(std::string_view bytes, const InvocationKey& key) {
  Traces traces = KACHE_TRY(decode_any_traces(bytes));
  if (traces.key != key) return Error{ErrorCode::corrupt, 0, "traces of another invocation"};
  return traces;
}

}  // namespace kache
