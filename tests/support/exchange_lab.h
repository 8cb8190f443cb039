// Machines with a store each, which exchange results over one remote in memory.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "remote/exchange.h"
#include "store/publish.h"
#include "store/same.h"
#include "tests/support/fake_remote.h"
#include "tests/support/mem_file_system.h"

namespace kache {

// Bytes that nothing makes smaller.
inline std::string noise(size_t size, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::string bytes;
  while (bytes.size() < size) {
    uint64_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  bytes.resize(size);
  return bytes;
}

// What is the same on each machine: one result of an invocation.
struct LabUnit {
  std::string name, source;
  std::map<std::string, std::string> outputs;  // name → bytes
  std::string origin = {};  // of the first output, "" for none

  InvocationKey invocation() const { return {digest_bytes("invocation of " + name)}; }
  InputSet inputs() const {
    InputSet set;
    set.inputs = {{InputKind::file, {{RootKind::workspace, 0}, "src/lib.rs"}, digest_bytes(source)}};
    set.env = {{"LEVEL", true, digest_bytes("3"), "shown only here"}};
    return set;
  }
  ActionKey action() const { return derive_action_key(invocation(), inputs()); }
  Entry entry() const {
    Entry entry;
    entry.key = action();
    entry.invocation = invocation();
    entry.crate_name = name;
    entry.compile_ms = 1234;
    for (const auto& [file, bytes] : outputs) {
      Output output;
      output.role = "link";
      output.name = file;
      output.mode = 0644;
      output.size = bytes.size();
      output.blob = {digest_bytes(bytes)};
      entry.outputs.push_back(std::move(output));
    }
    return entry;
  }
};

class Machine {
 public:
  explicit Machine(ManualClock& clock) : clock_(clock) {
    (void)prepare_store(disk, layout);
  }

  void compile(const LabUnit& unit) {
    BlobStore blobs(disk, layout, boot);
    for (const auto& [name, bytes] : unit.outputs) {
      std::string temporary = temporary_beside(layout.temporary() + "/made");
      (void)disk.create(temporary, bytes, 0600);
      (void)blobs.adopt(temporary, {digest_bytes(bytes)});
      if (!unit.origin.empty() && name == unit.outputs.begin()->first) (void)note_origin(disk, layout, digest_bytes(bytes), digest_bytes(unit.origin));
    }
    Entry entry = unit.entry();
    entry.stamp = stamp_now(clock_, boot);
    (void)publish_entry(disk, layout, entry);
    (void)update_traces(disk, layout, unit.invocation(), [&](Traces& traces) {
      traces.crate_name = unit.name;
      traces.parts = {{"argv", "rustc " + unit.name}};
      traces.add(unit.inputs(), unit.action());
      return true;
    });
  }

  bool has(const LabUnit& unit) { return disk.stat(layout.entry(unit.action())).ok(); }
  std::optional<Entry> entry(const ActionKey& key) {
    Result<std::string> bytes = read_file(disk, layout.entry(key), kMaxEntrySize);
    if (!bytes.ok()) return std::nullopt;
    Result<Entry> entry = decode_entry(*bytes, key);
    if (!entry.ok()) return std::nullopt;
    return *entry;
  }
  std::string blob(const std::string& bytes) { return read_file(disk, layout.blob({digest_bytes(bytes)}), UINT32_MAX).value_or("missing"); }
  Traces traces(const InvocationKey& key) {
    Result<std::string> bytes = read_file(disk, layout.trace(key), kMaxTracesSize);
    Result<Traces> traces = bytes.ok() ? decode_traces(*bytes, key) : Result<Traces>(bytes.error());
    return traces.ok() ? *traces : Traces{};
  }

  // "": everything that can be seen in the store is whole and what it says, and nothing is on its way.
  std::string problem(bool may_have_leftovers = false) {
    for (const auto& [path, bytes] : disk.files_below(layout.entries())) {
      Result<Entry> entry = decode_any_entry(bytes);
      if (!entry.ok()) return path + ": " + entry.error().message;
      for (const Output& output : entry->outputs) {
        if (read_file(disk, layout.blob(output.blob), UINT32_MAX).value_or("") .size() != output.size) return path + ": lacks " + output.name;
      }
    }
    for (const auto& [path, bytes] : disk.files_below(layout.blobs())) {
      if (digest_bytes(bytes).hex() != path.substr(path.rfind('/') + 1)) return path + ": other content";
    }
    for (const auto& [path, bytes] : disk.files_below(layout.traces())) {
      if (!decode_any_traces(bytes).ok()) return path + ": no traces";
    }
    for (const auto& [path, bytes] : disk.files_below(layout.temporary())) {
      if (!may_have_leftovers) return path + ": was left behind";
    }
    return "";
  }

  ManualClock& clock_;
  MemFileSystem disk{clock_};
  StoreLayout layout{"/cache"};
  BootId boot = parse_boot_id("00000000-0000-0000-0000-000000000001");
};

}  // namespace kache
