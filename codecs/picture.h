/* codecs/picture.h: pictures as bytes, and where the homeserver has put them.
 *
 * Memory: results are static or borrow the argument.
 */
#ifndef GITTERD_CODECS_PICTURE_H
#define GITTERD_CODECS_PICTURE_H

#include "runtime/base/slice.h"

/* The media type by the first bytes, whatever a server called it: PNG, JPEG, GIF or WebP; else
 * empty. SVG is none of them: it is a program. */
struct slice picture_type(struct slice bytes);

/* The value of content_uri in the answer to an upload: mxc://server/id; empty if there is none that
 * is well-formed (Matrix 1.16: ids are of [A-Za-z0-9_-]). */
struct slice picture_content_uri(struct slice answer);

#endif
