#include "store/restore.h"

#include "base/path.h"
#include "store/render.h"

namespace kache {

std::vector<std::string> explicit_paths(const Invocation& invocation, const std::string& cwd) {
  std::vector<std::string> paths;
  for (const NamedOutput& output : invocation.named_outputs) paths.push_back(absolute_path(cwd, output.path));
  return paths;
}

std::string output_path(const Output& output, const Invocation& invocation, const std::string& cwd) {
  switch (output.place) {
    case OutputPlace::output_dir: return absolute_path(cwd, join_path(invocation.output_dir(), output.name));
    case OutputPlace::working_dir: return absolute_path(cwd, output.name);
    case OutputPlace::explicit_path:
    case OutputPlace::beside_first: break;
  }
  std::vector<std::string> paths = explicit_paths(invocation, cwd);
  if (output.place == OutputPlace::explicit_path) {
    return output.explicit_index < paths.size() ? paths[output.explicit_index] : std::string();
  }
  if (paths.empty()) return {};
  std::string_view stem = output.explicit_index == 0 ? without_extension(paths.front()) : std::string_view(paths.front());
  return std::string(stem) + output.name;
}

std::string render_output(const Output& output, const Invocation& invocation, const Roots& roots) {
  if (output.role == "depfile") return render_depfile(output.text, invocation.cc.depfile_targets, roots);
  return render_template(output.text, roots);
}

namespace {

// One output on its way: first as `temporary`, then at `path`.
struct Piece {
  const Output* output = nullptr;
  std::string path, temporary;
  File blob;
  bool sealed = false;  // shares its inode with the blob
};

class Restorer {
 public:
  Restorer(FileSystem& fs, BlobStore& blobs, Memo& memo, const RestoreRequest& request)
      : fs_(fs), blobs_(blobs), memo_(memo), request_(request) {}

  Result<RestoreReport> run() {
    Status done = stages();
    if (!done.ok()) {
      for (const Piece& piece : pieces_) {
        if (!piece.temporary.empty()) (void)fs_.unlink(piece.temporary);
      }
      return std::move(done).error();
    }
    return report_;
  }

 private:
  Status stages() {
    KACHE_TRY(open_blobs());
    for (Piece& piece : pieces_) KACHE_TRY(materialise(piece));
    for (Piece& piece : pieces_) {
      KACHE_TRY(fs_.rename(piece.temporary, piece.path));
      piece.temporary.clear();
    }
    for (const Piece& piece : pieces_) remember(piece);
    return Ok{};
  }

  // Everything that can be missing is found out before anything is written.
  Status open_blobs() {
    for (const Output& output : request_.entry.outputs) {
      Piece piece;
      piece.output = &output;
      piece.path = output_path(output, request_.invocation, request_.cwd);
      if (piece.path.empty()) return Error{ErrorCode::invalid, 0, output.name + ": no place for this output"};
      Result<FileStat> present = fs_.lstat(piece.path);
      if (present.ok() && !present->is_regular()) {
        return Error{ErrorCode::unsupported, 0, piece.path + ": is not a regular file"};
      }
      // An archiver writes into the file that is there, whatever other names it has.
      if (present.ok() && present->nlink > 1 && request_.invocation.family == Family::archive) {
        return Error{ErrorCode::unsupported, 0, piece.path + ": has other names"};
      }
      if (output.content == OutputContent::blob) {
        piece.blob = KACHE_TRY(blobs_.open(output.blob, output.size, request_.verify_content));
      }
      has_metadata_ |= output.role == "metadata";
      pieces_.push_back(std::move(piece));
    }
    return Ok{};
  }

  // rustc makes the directory that --out-dir names; the compilers of the C family fail where there is none.
  bool makes_directories() const { return request_.invocation.family == Family::rustc; }

  // A file that does not exist yet, in a directory that may not exist yet.
  template <typename Make>
  Status in_directory(const std::string& path, Make make) {
    Status made = make();
    if (made.ok() || made.code() != ErrorCode::not_found || !makes_directories()) return made;
    KACHE_TRY(make_dirs(fs_, std::string(dir_name(path)), 0777));
    return make();
  }

  Status materialise(Piece& piece) {
    const Output& output = *piece.output;
    bool executable = output.mode & 0111;
    uint32_t mode = executable ? 0777 : 0666;  // minus the umask, as a compiler's file would have
    piece.temporary = temporary_beside(piece.path);
    report_.bytes += output.size;
    if (output.content == OutputContent::text) {
      report_.written++;
      std::string bytes = render_output(output, request_.invocation, request_.roots);
      report_.copied_bytes += bytes.size();
      KACHE_TRY(in_directory(piece.path, [&] { return fs_.create(piece.temporary, bytes, mode); }));
      return stamp(piece);
    }
    KACHE_TRY(share(piece, mode));
    return piece.sealed ? Status(Ok{}) : stamp(piece);
  }

  // Of a directory, which is made where rustc would make it. Most outputs lie side by side.
  Result<uint64_t> device_of(std::string_view path) {
    if (path == directory_) return device_;
    std::string dir(path);
    Result<FileStat> found = fs_.stat(dir);
    if (!found.ok() && makes_directories()) {
      KACHE_TRY(make_dirs(fs_, dir, 0777));
      found = fs_.stat(dir);
    }
    if (!found.ok()) return std::move(found).error();
    directory_ = std::move(dir);
    return device_ = found->dev;
  }

  Status share(Piece& piece, uint32_t mode) {
    uint64_t from = KACHE_TRY(fs_.stat_handle(piece.blob.handle())).dev;
    uint64_t to = KACHE_TRY(device_of(dir_name(piece.path)));
    if (blobs_.capabilities().may_reflink(from, to)) {
      Status cloned = fs_.clone(piece.blob.handle(), piece.temporary, mode);
      if (cloned.ok()) {
        report_.cloned++;
        report_.cloned_bytes += piece.output->size;
        return cloned;
      }
      if (cloned.code() != ErrorCode::unsupported) return cloned;
      blobs_.capabilities().note_no_reflink(from, to);
    }
    // The one inode of an rlib is never touched again: cargo looks at the newest of a unit's outputs, and that is the
    // rmeta beside it.
    bool may_link = has_metadata_ && piece.output->role == "link" && piece.output->name.ends_with(".rlib");
    if (may_link && from == to &&
        fs_.link(blobs_.layout().blob(piece.output->blob), piece.temporary).ok()) {
      piece.sealed = true;
      report_.linked++;
      report_.linked_bytes += piece.output->size;
      return Ok{};
    }
    report_.copied++;
    report_.copied_bytes += piece.output->size;
    return fs_.copy(piece.blob.handle(), piece.temporary, mode);
  }

  // "Now", by the clock that stamps files, for every output alike: cargo compares the times of dependents, which may be
  // restored or written within the same tick, and anything ahead of the tick would look newer than what follows it.
  Status stamp(const Piece& piece) { return fs_.touch(piece.temporary); }

  // A digest is known for the new file at once. Strictly one would have to wait for the next tick of the clock, because a
  // write within this one could not be told; but nobody has been told of the file before this process ends.
  void remember(const Piece& piece) {
    if (piece.output->content != OutputContent::blob || (piece.output->mode & 0111)) return;
    Result<FileStat> stat = fs_.stat(piece.path);
    if (stat.ok() && stat->size == piece.output->size) memo_.insert(*stat, 0, piece.output->blob.digest);
  }

  FileSystem& fs_;
  BlobStore& blobs_;
  Memo& memo_;
  const RestoreRequest& request_;
  std::vector<Piece> pieces_;
  bool has_metadata_ = false;
  std::string directory_;
  uint64_t device_ = 0;
  RestoreReport report_;
};

}  // namespace

Result<RestoreReport> restore_outputs(FileSystem& fs, BlobStore& blobs, Memo& memo, const RestoreRequest& request) {
  return Restorer(fs, blobs, memo, request).run();
}

}  // namespace kache
