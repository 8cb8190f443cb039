#include "store/blob.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "store/memo.h"
#include "tests/support/forwarding_file_system.h"

namespace kache {
namespace {

class CountingFileSystem final : public ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<size_t> read_at(int handle, uint64_t offset, char* buffer, size_t size) override {
    ++reads;
    return ForwardingFileSystem::read_at(handle, offset, buffer, size);
  }
  int reads = 0;
};

class BlobTest : public ::testing::Test {
 protected:
  BlobTest() { (void)prepare_store(fs_, layout_); }
  ~BlobTest() override { std::filesystem::remove_all(dir_); }

  std::string temporary(const std::string& bytes) {
    std::string path = temporary_beside(layout_.temporary() + "/new");
    EXPECT_TRUE(fs_.create(path, bytes, 0600).ok());
    return path;
  }
  // How often something was read to answer; -1: it is not there.
  int reads_of_has(const BlobId& id, uint64_t size, Memo* memo) {
    fs_.reads = 0;
    return blobs_.has(id, size, memo) ? fs_.reads : -1;
  }
  Memo open_memo(const BootId& boot) { return Memo::open(layout_.memo(), boot); }

  char name_[32] = "/tmp/kache-blob-XXXXXX";
  std::string dir_ = ::mkdtemp(name_);
  CountingFileSystem fs_{posix_file_system()};
  StoreLayout layout_{dir_};
  BootId boot_ = parse_boot_id("00000000-0000-0000-0000-000000000001"), other_boot_ = parse_boot_id("00000000-0000-0000-0000-000000000002");
  BlobStore blobs_{fs_, layout_, boot_};
  const std::string bytes_ = "content of a blob";
  const BlobId id_{digest_bytes(bytes_)};
};

TEST_F(BlobTest, what_was_written_or_read_in_this_boot_is_not_read_again) {
  Memo memo = open_memo(boot_);
  ASSERT_TRUE(blobs_.adopt(temporary(bytes_), id_, &memo).ok());
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), 0);
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), 0);  // its ctime has moved
  EXPECT_GT(reads_of_has(id_, bytes_.size(), nullptr), 0);
  Memo unknowing = open_memo(other_boot_);  // what it held may be lost with the power since
  EXPECT_GT(reads_of_has(id_, bytes_.size(), &unknowing), 0);
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &unknowing), 0);
}

TEST_F(BlobTest, what_was_changed_is_noticed_all_the_same) {
  std::string path = layout_.blob(id_);
  Memo memo = open_memo(boot_);
  auto adopt = [&] { ASSERT_TRUE(blobs_.adopt(temporary(bytes_), id_, &memo).ok()); };
  adopt();
  EXPECT_EQ(reads_of_has(id_, bytes_.size() + 1, &memo), -1);
  ASSERT_TRUE(fs_.set_mtime(path, seal_mtime(id_.digest) + 1).ok());
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), -1);
  adopt();
  ASSERT_TRUE(fs_.unlink(path).ok());
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), -1);
}

TEST_F(BlobTest, what_has_other_content_does_not_get_into_the_memo) {
  std::string path = layout_.blob(id_);
  Memo memo = open_memo(boot_);
  ASSERT_TRUE(make_dirs(fs_, path.substr(0, path.rfind('/')), 0700).ok());
  ASSERT_TRUE(fs_.create(path, std::string(bytes_.size(), 'x'), 0444).ok() && fs_.set_mtime(path, seal_mtime(id_.digest)).ok());
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), -1);
  EXPECT_EQ(reads_of_has(id_, bytes_.size(), &memo), -1);
}

}  // namespace
}  // namespace kache
