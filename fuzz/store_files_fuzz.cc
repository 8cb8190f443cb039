// Whatever lies in the store: a parser answers with a value that survives writing and reading again, or with an error.
#include <cstdlib>
#include <string_view>

#include "base/frame.h"
#include "config/compiled.h"
#include "store/durability.h"
#include "store/entry.h"
#include "store/traces.h"

using namespace kache;

// The fuzzer can not guess checksums, so the frame is put around its bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Result<Entry> entry = decode_any_entry(seal_frame("KENTRY03", bytes));
  if (entry.ok()) {
    Result<Entry> again = decode_any_entry(encode_entry(*entry));
    if (!again.ok() || again->outputs != entry->outputs) std::abort();
  }
  Result<Traces> traces = decode_any_traces(seal_frame("KTRACE02", bytes));
  if (traces.ok()) {
    if (!decode_any_traces(encode_traces(*traces)).ok()) std::abort();
    (void)traces->inputs_that_differ();
    if (!traces->candidates.empty()) traces->add(traces->set_of(traces->candidates.back()), ActionKey{});
    if (!decode_any_traces(encode_traces(*traces)).ok()) std::abort();
  }
  Result<CompiledConfig> config = decode_compiled(seal_frame("KCONFC01", bytes));
  if (config.ok() && !decode_compiled(encode_compiled(*config)).ok()) std::abort();
  Result<std::vector<Stamp>> mark = decode_sync_mark(seal_frame("KSYNCD01", bytes));
  if (mark.ok() && !decode_sync_mark(encode_sync_mark(*mark)).ok()) std::abort();
  (void)decode_sync_mark(bytes);
  (void)parse_boot_id(bytes);
  (void)decode_any_entry(bytes);
  (void)decode_any_traces(bytes);
  return 0;
}
