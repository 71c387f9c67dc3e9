#include "runtime/http_body.h"

#include "runtime/base/check.h"
#include "runtime/base/limits.h"

/* 2^60 and more is nothing that anybody sends. */
#define SIZE_DIGITS_MAX 15

void body_reader_init_length(struct body_reader *reader, uint64_t length)
{
    *reader = (struct body_reader){length == 0 ? BODY_DONE : BODY_LENGTH, length, 0, 0};
}

void body_reader_init_chunked(struct body_reader *reader)
{
    *reader = (struct body_reader){BODY_SIZE, 0, 0, 0};
}

static int hex_value(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    if (byte >= 'a' && byte <= 'f') {
        return byte - 'a' + 10;
    }
    if (byte >= 'A' && byte <= 'F') {
        return byte - 'A' + 10;
    }
    return -1;
}

static enum rc size_step(struct body_reader *reader, char byte)
{
    int value = hex_value(byte);

    if (value >= 0) {
        reader->left = reader->left * 16 + (uint64_t)value;
        return ++reader->digits <= SIZE_DIGITS_MAX ? RC_OK : RC_BAD_INPUT;
    }
    if (reader->digits == 0 || (byte != '\r' && byte != ';')) {
        return RC_BAD_INPUT;
    }
    reader->state = byte == ';' ? BODY_EXTENSION : BODY_SIZE_LF;
    return RC_OK;
}

/* Bytes that we skip: up to the CR, and not for ever. */
static enum rc skip_step(struct body_reader *reader, char byte, enum body_state after_cr)
{
    if (byte == '\r') {
        reader->state = after_cr;
        return RC_OK;
    }
    if (byte == '\n' || byte == '\0') {
        return RC_BAD_INPUT;
    }
    return ++reader->overhead <= HTTP_HEADER_BYTES_MAX ? RC_OK : RC_TOO_BIG;
}

static enum rc expect(struct body_reader *reader, char byte, char wanted, enum body_state next)
{
    if (byte != wanted) {
        return RC_BAD_INPUT;
    }
    reader->state = next;
    return RC_OK;
}

static enum rc framing_step(struct body_reader *reader, char byte)
{
    switch (reader->state) {
    case BODY_SIZE:
        return size_step(reader, byte);
    case BODY_EXTENSION:
        return skip_step(reader, byte, BODY_SIZE_LF);
    case BODY_SIZE_LF:
        return expect(reader, byte, '\n', reader->left == 0 ? BODY_TRAILER_START : BODY_DATA);
    case BODY_DATA_CR:
        return expect(reader, byte, '\r', BODY_DATA_LF);
    case BODY_DATA_LF:
        reader->digits = 0;
        return expect(reader, byte, '\n', BODY_SIZE);
    case BODY_TRAILER_START:
        if (byte == '\r') {
            reader->state = BODY_END_LF;
            return RC_OK;
        }
        reader->state = BODY_TRAILER;
        return skip_step(reader, byte, BODY_TRAILER_LF);
    case BODY_TRAILER:
        return skip_step(reader, byte, BODY_TRAILER_LF);
    case BODY_TRAILER_LF:
        return expect(reader, byte, '\n', BODY_TRAILER_START);
    case BODY_END_LF:
        return expect(reader, byte, '\n', BODY_DONE);
    case BODY_LENGTH:
    case BODY_DATA:
    case BODY_DONE:
        break;
    }
    CHECK(false);
}

static void take_data(struct body_reader *reader, struct slice *bytes, struct slice *piece)
{
    *piece = slice_first(*bytes, reader->left < bytes->len ? reader->left : bytes->len);
    *bytes = slice_from(*bytes, piece->len);
    reader->left -= piece->len;
    if (reader->left == 0) {
        reader->state = reader->state == BODY_LENGTH ? BODY_DONE : BODY_DATA_CR;
    }
}

enum rc body_reader_next(struct body_reader *reader, struct slice *bytes, struct slice *piece)
{
    *piece = SLICE_EMPTY;
    while (bytes->len > 0 && reader->state != BODY_DONE) {
        if (reader->state == BODY_LENGTH || reader->state == BODY_DATA) {
            take_data(reader, bytes, piece);
            return RC_OK;
        }
        const enum rc rc = framing_step(reader, bytes->ptr[0]);
        if (rc != RC_OK) {
            return rc;
        }
        *bytes = slice_from(*bytes, 1);
    }
    return RC_OK;
}
