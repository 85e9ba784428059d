/* cms_content.h: the same message, as its holder may write it, has the same content; another one has another. */
#include "test/unit/signed_fixture.h"
#include "certs/cms_content.h"
#include "certs/der.h"

static struct party signer, other;
static const char text[] =
    "who it is for, and what may be asked for; long enough that there is more of it than the "
    "front that counts where it is encrypted, and something else behind that, too";

static void content_of(const struct buf *message, struct buf *out)
{
    buf_reset(out);
    if (!cms_content(buf_view(message), out))
        fail_msg("%zu bytes: no content", message->len);
}

static void assert_same(const struct buf *a, const struct buf *b, bool same)
{
    struct buf one = BUF_INIT(ROOM), two = BUF_INIT(ROOM);

    content_of(a, &one);
    content_of(b, &two);
    assert_int_equal(view_equal(buf_view(&one), buf_view(&two)), same);
    buf_free(&one);
    buf_free(&two);
}

static void assert_none(const struct buf *message)
{
    struct buf out = BUF_INIT(ROOM);

    buf_add_text(&out, "as it was");
    assert_false(cms_content(buf_view(message), &out));
    assert_string_equal(buf_text(&out), "as it was");
    buf_free(&out);
}

/* ---- another way to write it: each function takes DER ---- */

static struct der take(struct view *rest)
{
    struct der part;

    T_OK(der_next(rest, &part, &e));
    return part;
}

/* What is between ContentInfo's lengths; all of them are left open, and something stands behind. */
static struct view dress_open(const struct buf *der, struct buf *out)
{
    struct view in = buf_view(der), info = take(&in).content;

    buf_add(out, "\x30\x80", 2);
    buf_add_view(out, take(&info).whole);
    info = take(&info).content;
    buf_add(out, "\xa0\x80\x30\x80", 4);
    return take(&info).content;
}

static void dress_close(struct buf *out)
{
    buf_add(out, "\0\0\0\0\0\0and something behind it", 29);
    assert_false(out->bad);
}

static void add_octets(struct view octets, uint8_t tag, struct buf *out)
{
    size_t half = octets.len / 3;

    buf_add_byte(out, tag);
    buf_add_byte(out, 0x80);
    buf_add(out, "\x24\x80", 2); /* in pieces, and pieces of pieces */
    der_tlv(out, DER_OCTET_STRING, view_of(octets.p, half));
    buf_add(out, "\0\0", 2);
    der_tlv(out, DER_OCTET_STRING, view_of(octets.p + half, octets.len - half));
    buf_add(out, "\0\0", 2);
}

static void dress_signed(const struct buf *der, struct buf *out)
{
    struct view body = dress_open(der, out), encap;

    buf_add_view(out, take(&body).whole);
    (void)take(&body);
    buf_add(
        out, "\x31\x80\x7f\x81\x01\x80\0\0\0\0", 10); /* no algorithms, but a tag of three bytes */
    encap = take(&body).content;
    buf_add(out, "\x30\x80", 2);
    buf_add_view(out, take(&encap).whole);
    encap = take(&encap).content;
    buf_add(out, "\xa0\x80", 2);
    add_octets(take(&encap).content, DER_OCTET_STRING | 0x20, out);
    buf_add(out, "\0\0\0\0", 4);
    buf_add(out, "\xa0\x04more", 6); /* for certificates: no certificate */
    buf_add_view(out, body);
    dress_close(out);
}

static void dress_sealed(const struct buf *der, const char *behind, struct buf *out)
{
    struct view body = dress_open(der, out), info;
    struct buf octets = BUF_INIT(ROOM);

    buf_add_view(out, take(&body).whole);
    buf_add(out, "\xa0\x80\0\0", 4);                 /* originatorInfo */
    buf_add(out, "\x31\x80\x7f\x81\x01\x80\0\0", 8); /* another recipient */
    buf_add_view(out, take(&body).content);
    buf_add(out, "\0\0", 2);
    info = take(&body).content;
    buf_add(out, "\x30\x80", 2);
    buf_add_view(out, take(&info).whole);
    buf_add_view(out, take(&info).whole);
    buf_add_view(&octets, take(&info).content);
    buf_add_text(&octets, behind);
    add_octets(buf_view(&octets), DER_CONTEXTC | 0, out);
    buf_add(out, "\0\0", 2);
    dress_close(out);
    buf_free(&octets);
}

/* ---- the tests ---- */

static void what_was_signed_stays(void **state)
{
    struct buf message = BUF_INIT(ROOM), dressed = BUF_INIT(ROOM), streamed = BUF_INIT(ROOM);
    struct buf second = BUF_INIT(ROOM), another = BUF_INIT(ROOM), content = BUF_INIT(ROOM);

    (void)state;
    sign_message(&signer, view_text(text), &(struct sign){ 0 }, &message);
    content_of(&message, &content);
    assert_string_equal(buf_text(&content), text);
    dress_signed(&message, &dressed);
    assert_same(&message, &dressed, true);
    sign_message(&signer, view_text(text),
        &(struct sign){ .flags = CMS_STREAM, .without_certificate = true }, &streamed);
    assert_same(&message, &streamed, true);
    sign_message(&signer, view_text(text), &(struct sign){ .second = &other }, &second);
    assert_same(&message, &second, true);
    sign_message(&signer, view_text("Who else"), &(struct sign){ 0 }, &another);
    assert_same(&message, &another, false);
    buf_free(&message);
    buf_free(&dressed);
    buf_free(&streamed);
    buf_free(&second);
    buf_free(&another);
    buf_free(&content);
}

static void what_was_encrypted_stays(void **state)
{
    struct buf message = BUF_INIT(ROOM), dressed = BUF_INIT(ROOM), longer = BUF_INIT(ROOM);
    struct buf another = BUF_INIT(ROOM), content = BUF_INIT(ROOM);

    (void)state;
    seal_message(&signer, view_text(text), &(struct seal){ 0 }, &message);
    content_of(&message, &content);
    assert_int_equal(content.len, CMS_CONTENT_FRONT);
    (void)find(&message, content.p, content.len);
    dress_sealed(&message, "", &dressed);
    assert_same(&message, &dressed, true);
    dress_sealed(&message, "two blocks of it that were there", &longer);
    assert_same(&message, &longer, true);
    seal_message(&signer, view_text(text), &(struct seal){ .flags = CMS_STREAM }, &another);
    assert_same(&message, &another, false);
    buf_free(&message);
    buf_free(&dressed);
    buf_free(&longer);
    buf_free(&another);
    buf_free(&content);
}

static void authenticated_as_well(void **state)
{
    struct buf message = BUF_INIT(ROOM), dressed = BUF_INIT(ROOM);

    (void)state;
    seal_message(&signer, view_text(text), &(struct seal){ .cipher = EVP_aes_128_gcm() }, &message);
    dress_sealed(&message, "", &dressed);
    assert_same(&message, &dressed, true);
    buf_free(&message);
    buf_free(&dressed);
}

/* Cut anywhere it is none, or what is missing was behind the content; never is it something else. */
static void what_is_no_such_message_has_none(void **state)
{
    static const uint8_t open_forever[] = { 0x30, 0x80, 0x30, 0x80, 0x30, 0x80, 0x30, 0x80 };
    struct buf message = BUF_INIT(ROOM), detached = BUF_INIT(ROOM), cut = BUF_INIT(ROOM);
    struct buf dressed = BUF_INIT(ROOM), whole = BUF_INIT(ROOM), part = BUF_INIT(ROOM);

    (void)state;
    assert_none(&cut);
    buf_add(&cut, open_forever, sizeof open_forever);
    assert_none(&cut);
    buf_reset(&cut);
    buf_add_view(&cut, buf_view(&signer.der)); /* a certificate */
    assert_none(&cut);
    sign_message(&signer, view_text(text), &(struct sign){ .flags = CMS_DETACHED }, &detached);
    assert_none(&detached);
    sign_message(&signer, view_text(text), &(struct sign){ 0 }, &message);
    dress_signed(&message, &dressed);
    content_of(&dressed, &whole);
    for (size_t len = 0; len < dressed.len; len++) {
        buf_reset(&part);
        if (cms_content(view_of(dressed.p, len), &part))
            assert_true(view_equal(buf_view(&part), buf_view(&whole)));
        else
            assert_int_equal(part.len, 0);
    }
    buf_free(&message);
    buf_free(&detached);
    buf_free(&cut);
    buf_free(&dressed);
    buf_free(&whole);
    buf_free(&part);
}

static int begin(void **state)
{
    (void)state;
    if ((lib = lib_new(&e)) == NULL)
        return -1;
    party_init(&signer, "rsa2048", "CN=signer");
    party_init(&other, "rsa2048", "CN=other");
    return 0;
}

static int end(void **state)
{
    (void)state;
    party_free(&signer);
    party_free(&other);
    lib_free(lib);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_stays),
        cmocka_unit_test(what_was_encrypted_stays),
        cmocka_unit_test(authenticated_as_well),
        cmocka_unit_test(what_is_no_such_message_has_none),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
