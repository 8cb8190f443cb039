#include "store/entry.h"

#include "store/framing.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KENTRY03", kMagicOfAll = "KENTRY";

void write_template(ByteWriter& out, const TextTemplate& text) {
  out.varint(text.size());
  for (const TemplateToken& token : text) {
    out.u8(static_cast<uint8_t>(token.kind));
    write_rooted(out, token.path);
  }
}

TextTemplate read_template(ByteReader& in) {
  TextTemplate text(in.count(4));
  for (TemplateToken& token : text) {
    uint8_t kind = in.u8();
    if (kind > TextToken::depfile_path) in.fail();
    token.kind = static_cast<TextToken::Kind>(kind);
    token.path = read_rooted(in);
  }
  return text;
}

void write_output(ByteWriter& out, const Output& output) {
  out.text(output.role);
  out.u8(static_cast<uint8_t>(output.place));
  out.varint(output.explicit_index);
  out.text(output.name);
  out.u32(output.mode);
  out.u8(static_cast<uint8_t>(output.content));
  if (output.content == OutputContent::text) return write_template(out, output.text);
  out.u64(output.size);
  out.digest(output.blob.digest);
}

// One component and nothing clever: a name from a file must not lead out of the output directory.
bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

Output read_output(ByteReader& in) {
  Output output;
  output.role = in.text();
  uint8_t place = in.u8();
  output.explicit_index = static_cast<uint32_t>(in.varint());
  output.name = in.text();
  output.mode = in.u32();
  uint8_t content = in.u8();
  if (place > static_cast<uint8_t>(OutputPlace::working_dir) || content > 1 || output.mode > 07777 || !is_file_name(output.name)) in.fail();
  output.place = static_cast<OutputPlace>(place);
  output.content = static_cast<OutputContent>(content);
  if (output.content == OutputContent::text) {
    output.text = read_template(in);
  } else {
    output.size = in.u64();
    output.blob.digest = in.digest();
  }
  return output;
}

}  // namespace

uint64_t Entry::blob_bytes() const {
  uint64_t sum = 0;
  for (const Output& output : outputs) sum += output.content == OutputContent::blob ? output.size : 0;
  return sum;
}

std::string encode_entry(const Entry& entry) {
  ByteWriter out;
  out.digest(entry.key.digest);
  out.digest(entry.invocation.digest);
  out.varint(entry.schema);
  out.text(entry.crate_name);
  out.text(entry.crate_types);
  out.text(entry.profile);
  out.text(entry.target);
  out.i64(entry.created_ns);
  out.u64(entry.compile_ms);
  out.u8(static_cast<uint8_t>(entry.origin));
  write_stamp(out, entry.stamp);
  out.varint(entry.outputs.size());
  for (const Output& output : entry.outputs) write_output(out, output);
  write_template(out, entry.standard_output);
  write_template(out, entry.standard_error);
  return seal_frame(kMagic, std::move(out).take());
}

Result<Entry> decode_any_entry(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  Entry entry;
  entry.key.digest = in.digest();
  entry.invocation.digest = in.digest();
  entry.schema = in.varint();
  entry.crate_name = in.text();
  entry.crate_types = in.text();
  entry.profile = in.text();
  entry.target = in.text();
  entry.created_ns = in.i64();
  entry.compile_ms = in.u64();
  uint8_t origin = in.u8();
  if (origin > static_cast<uint8_t>(EntryOrigin::ahead)) in.fail();
  entry.origin = static_cast<EntryOrigin>(origin);
  entry.stamp = read_stamp(in);
  uint64_t outputs = in.count(10);
  for (uint64_t i = 0; i < outputs && in.ok(); ++i) entry.outputs.push_back(read_output(in));
  entry.standard_output = read_template(in);
  entry.standard_error = read_template(in);
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed entry"};
  return entry;
}

bool is_entry_of_other_format(std::string_view bytes) {
  return bytes.starts_with(kMagicOfAll) && bytes.size() >= kMagic.size() && !bytes.starts_with(kMagic);
}

Result<Entry> decode_entry(std::string_view bytes, const ActionKey& key) {
  Entry entry = KACHE_TRY(decode_any_entry(bytes));
  if (entry.key != key) return Error{ErrorCode::corrupt, 0, "entry of another action"};
  return entry;
}

}  // namespace kache
