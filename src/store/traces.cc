#include "store/traces.h"

#include <algorithm>
#include <unordered_map>

#include "store/framing.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KTRACE01";

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

void write_candidate(ByteWriter& out, StringTable& strings, const Candidate& candidate) {
  out.digest(candidate.action.digest);
  out.varint(candidate.inputs.inputs.size());
  for (const Input& input : candidate.inputs.inputs) {
    out.u8(static_cast<uint8_t>(input.kind));
    write_root(out, input.path.root);
    out.varint(strings.number(input.path.rest));
    if (has_digest(input.kind)) out.digest(input.digest);
  }
  out.varint(candidate.inputs.env.size());
  for (const EnvInput& env : candidate.inputs.env) {
    out.varint(strings.number(env.name));
    out.u8(env.is_set);
    if (env.is_set) out.digest(env.digest);
  }
  out.varint(candidate.inputs.bindings.size());
  for (const Binding& binding : candidate.inputs.bindings) {
    write_root(out, binding.root);
    out.varint(strings.number(binding.path));
  }
}

Candidate read_candidate(ByteReader& in, const std::vector<std::string_view>& strings) {
  auto text = [&]() -> std::string {
    uint64_t number = in.varint();
    if (number < strings.size()) return std::string(strings[number]);
    in.fail();
    return {};
  };
  Candidate candidate;
  candidate.action.digest = in.digest();
  uint64_t inputs = in.count(4);
  candidate.inputs.inputs.reserve(inputs);
  for (uint64_t i = 0; i < inputs && in.ok(); ++i) {
    Input input;
    uint8_t kind = in.u8();
    if (kind < 1 || kind > static_cast<uint8_t>(InputKind::times)) in.fail();
    input.kind = static_cast<InputKind>(kind);
    input.path.root = read_root(in);
    input.path.rest = text();
    if (has_digest(input.kind)) input.digest = in.digest();
    candidate.inputs.inputs.push_back(std::move(input));
  }
  uint64_t variables = in.count(2);
  for (uint64_t i = 0; i < variables && in.ok(); ++i) {
    EnvInput env;
    env.name = text();
    env.is_set = in.u8() != 0;
    if (env.is_set) env.digest = in.digest();
    candidate.inputs.env.push_back(std::move(env));
  }
  uint64_t bindings = in.count(3);
  for (uint64_t i = 0; i < bindings && in.ok(); ++i) {
    RootRef root = read_root(in);
    candidate.inputs.bindings.push_back({root, text()});
  }
  return candidate;
}

}  // namespace

void Traces::add(Candidate candidate) {
  std::erase_if(candidates, [&](const Candidate& old) { return old.action == candidate.action; });
  candidates.insert(candidates.begin(), std::move(candidate));
  if (candidates.size() > kMaxCandidates) candidates.resize(kMaxCandidates);
}

std::string encode_traces(const Traces& traces) {
  StringTable strings;
  ByteWriter body;
  body.varint(traces.candidates.size());
  for (const Candidate& candidate : traces.candidates) write_candidate(body, strings, candidate);

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
  uint64_t candidates = in.count(35);
  for (uint64_t i = 0; i < candidates && in.ok(); ++i) traces.candidates.push_back(read_candidate(in, strings));
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed traces"};
  return traces;
}

Result<Traces> decode_traces(std::string_view bytes, const InvocationKey& key) {
  Traces traces = KACHE_TRY(decode_any_traces(bytes));
  if (traces.key != key) return Error{ErrorCode::corrupt, 0, "traces of another invocation"};
  return traces;
}

}  // namespace kache
