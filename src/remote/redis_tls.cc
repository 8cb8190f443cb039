#include "remote/redis_tls.h"

#ifdef KACHE_REDIS_TLS

#include <hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

namespace kache {
namespace {

// One for the process: it holds the certificates of the authorities.
SSL_CTX* trusting_the_system() {
  static SSL_CTX* const shared = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (!made) return made;
    SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION);
    SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_default_verify_paths(made);
    return made;
  }();
  return shared;
}

}  // namespace

bool has_redis_tls() { return true; }

Status start_redis_tls(redisContext* context, const std::string& host) {
  Error failed{ErrorCode::io, 0, host + ": TLS can not be started"};
  SSL_CTX* shared = trusting_the_system();
  std::unique_ptr<SSL, void (*)(SSL*)> ssl(shared ? SSL_new(shared) : nullptr, SSL_free);
  if (!ssl) return failed;
  // hiredis itself checks the chain and not the name. An address is compared with the addresses of the certificate.
  bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) == 1;
  if (!is_address && (SSL_set1_host(ssl.get(), host.c_str()) != 1 || SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)) return failed;
  SSL* raw = ssl.get();
  if (redisInitiateSSL(context, raw) != REDIS_OK) {
    long verdict = SSL_get_verify_result(raw);
    if (verdict != X509_V_OK) {
      return Error{ErrorCode::denied, 0, host + ": its certificate is not trusted: " + X509_verify_cert_error_string(verdict)};
    }
    return Error{ErrorCode::io, 0, host + ": TLS: " + context->errstr};
  }
  ssl.release();  // the context's by now
  return Ok{};
}

}  // namespace kache

#else

namespace kache {

bool has_redis_tls() { return false; }

Status start_redis_tls(redisContext*, const std::string& host) {
  return Error{ErrorCode::unsupported, 0, host + ": this kache was built with a hiredis that has no TLS"};
}

}  // namespace kache

#endif
