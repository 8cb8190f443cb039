// Entry: the result of one action, as one small file that describes itself. v1/entries/ab/<action key>.
//
// Files named here by digest are blobs; texts (stdout, stderr, dep-info) and very small files are inside. Format in
// docs/formats.md. Knows bytes; unaware of where anything is restored to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "compiler/text_token.h"
#include "key/roots.h"
#include "key/schema.h"
#include "store/durability.h"

namespace kache {

// Text of the compiler with the paths in it taken out: a token with a root other than none is rendered for the consumer.
struct TemplateToken {
  TextToken::Kind kind = TextToken::literal;
  RootedPath path;  // for literal tokens `path.rest` is the text
  bool operator==(const TemplateToken&) const = default;
};
using TextTemplate = std::vector<TemplateToken>;

// The numbers are on disk.
enum class OutputPlace : uint8_t {
  output_dir = 0,  // `name` below the invocation's output directory
  explicit_path = 1,  // the n-th path that the command line names (`explicit_index`), see Invocation::named_outputs
  // Named after the first of those paths: `name` is what follows its name, without (index 0) or with (1) its extension.
  beside_first = 2,
  working_dir = 3,    // `name` in the working directory
};

enum class OutputContent : uint8_t { blob = 0, text = 1 };

struct Output {
  std::string role;  // "link", "metadata", "dep-info", … as in --emit, or "side" for files nobody announced
  OutputPlace place = OutputPlace::output_dir;
  uint32_t explicit_index = 0;
  std::string name;   // file name
  uint32_t mode = 0;  // permission bits
  OutputContent content = OutputContent::blob;
  uint64_t size = 0;  // of a blob
  BlobId blob;        // of a blob
  TextTemplate text;  // of a text
  bool operator==(const Output&) const = default;
};

// How an entry came to this store. The numbers are on disk.
enum class EntryOrigin : uint8_t {
  compiled = 0,  // here
  fetched = 1,   // from a remote
  ahead = 2,     // from a remote before anybody asked, and nobody has asked since
};

struct Entry {
  ActionKey key;
  InvocationKey invocation;
  uint64_t schema = kKeySchema;  // of these two; of another one nobody asks for it any more
  std::string crate_name;
  std::string crate_types;  // comma list, "" for rustc's default
  std::string profile;      // "debug", "release", …: the name of the directory above deps, "" where unknown
  std::string target;       // "" for the host
  int64_t created_ns = 0;   // wall clock
  uint64_t compile_ms = 0;  // wall time of the compiler
  EntryOrigin origin = EntryOrigin::compiled;
  Stamp stamp;              // when its blobs were in their places, or were last found good
  std::vector<Output> outputs;
  TextTemplate standard_output;
  TextTemplate standard_error;

  uint64_t blob_bytes() const;
};

std::string encode_entry(const Entry& entry);
// `corrupt` for anything torn, foreign, of another schema or with another key than `key`.
Result<Entry> decode_entry(std::string_view bytes, const ActionKey& key);
// For whoever walks the store and takes the key from the file.
Result<Entry> decode_any_entry(std::string_view bytes);

// An entry as an older or newer kache writes it.
bool is_entry_of_other_format(std::string_view bytes);

inline constexpr uint64_t kMaxEntrySize = uint64_t{256} << 20;

}  // namespace kache
