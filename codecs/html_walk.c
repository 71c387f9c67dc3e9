#include "codecs/html_walk.h"

#include "runtime/base/check.h"

#include <gumbo.h>
#include <setjmp.h>
#include <string.h>

enum frame_kind {
    FRAME_HIDDEN, /* its element is not reported */
    FRAME_LISTED,
    FRAME_MATH, /* MathML: nothing is reported before its end */
    FRAME_TEX,  /* the annotation with the TeX source */
};

struct frame {
    const GumboVector *children;
    unsigned next;
    enum frame_kind kind;
    enum html_tag tag;
};

struct html_walk {
    struct arena *arena;
    const GumboVector *top;
    struct frame *frames;
    size_t count;
    size_t cap;
    size_t listed; /* frames that are FRAME_LISTED */
    bool in_math;
    bool in_tex;
    bool has_tex;
    struct buf math_text; /* of the MathML at hand */
    struct buf tex;
};

enum {
    FRAMES_FIRST = 32,
    LANGUAGE_BYTES_MAX = 32
};

struct slice html_tag_name(enum html_tag tag)
{
    static const struct slice names[] = {SLICE_INIT(""),
#define TAG_NAME(name, text) SLICE_INIT(text),
                                         HTML_TAGS(TAG_NAME)
#undef TAG_NAME
    };
    CHECK((size_t)tag < sizeof names / sizeof names[0]);
    return names[tag];
}

static enum html_tag tag_from_gumbo(GumboTag tag)
{
    static const struct {
        GumboTag from;
        enum html_tag to;
    } tags[] = {
#define TAG_PAIR(name, text) {GUMBO_TAG_##name, HTML_TAG_##name},
        HTML_TAGS(TAG_PAIR)
#undef TAG_PAIR
            {GUMBO_TAG_STRIKE, HTML_TAG_DEL},
        {GUMBO_TAG_INS, HTML_TAG_U},
        {GUMBO_TAG_FONT, HTML_TAG_SPAN},
        {GUMBO_TAG_TFOOT, HTML_TAG_TBODY},
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (tags[i].from == tag) {
            return tags[i].to;
        }
    }
    return HTML_TAG_NONE;
}

/* gumbo has no way to fail for want of memory, so the allocator leaves it by a jump. That is safe:
 * gumbo keeps no state outside the parse, and all it allocated is dropped with the arena. */
struct allowance {
    struct arena *arena;
    size_t left;
    jmp_buf too_big;
};

static void *gumbo_allocate(void *context, size_t size)
{
    struct allowance *allowance = context;
    if (size > allowance->left) {
        longjmp(allowance->too_big, 1);
    }
    allowance->left -= size;
    return arena_alloc(allowance->arena, size);
}

static void gumbo_deallocate(void *context, void *ptr)
{
    (void)context;
    (void)ptr;
}

static enum rc parse_fragment(struct arena *arena, struct slice html, const GumboVector **children)
{
    struct allowance allowance = {.arena = arena, .left = HTML_PARSE_BYTES_MAX};
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = gumbo_allocate;
    options.deallocator = gumbo_deallocate;
    options.userdata = &allowance;
    options.max_errors = 0;
    options.fragment_context = GUMBO_TAG_BODY;

    if (setjmp(allowance.too_big) != 0) {
        return RC_TOO_BIG;
    }
    const GumboOutput *output = gumbo_parse_with_options(&options, html.ptr, html.len);
    *children = &output->root->v.element.children;
    return RC_OK;
}

enum rc html_walk_open(struct arena *arena, struct slice html, struct html_walk **out)
{
    if (html.len > HTML_BYTES_MAX) {
        return RC_TOO_BIG;
    }
    struct html_walk *walk = ARENA_NEW(arena, struct html_walk);
    walk->arena = arena;
    buf_init(&walk->math_text, arena);
    buf_init(&walk->tex, arena);
    const enum rc rc = parse_fragment(arena, arena_copy(arena, html), &walk->top);
    if (rc != RC_OK) {
        return rc;
    }
    html_walk_rewind(walk);
    *out = walk;
    return RC_OK;
}

struct arena *html_walk_arena(const struct html_walk *walk)
{
    return walk->arena;
}

static void
push(struct html_walk *walk, const GumboVector *children, enum frame_kind kind, enum html_tag tag)
{
    if (walk->count == walk->cap) {
        const size_t cap = walk->cap == 0 ? FRAMES_FIRST : 2 * walk->cap;
        walk->frames = arena_grow(walk->arena, walk->frames, walk->count * sizeof *walk->frames,
                                  cap * sizeof *walk->frames);
        walk->cap = cap;
    }
    walk->frames[walk->count++] = (struct frame){.children = children, .kind = kind, .tag = tag};
}

void html_walk_rewind(struct html_walk *walk)
{
    walk->count = 0;
    walk->listed = 0;
    walk->in_math = false;
    walk->in_tex = false;
    push(walk, walk->top, FRAME_HIDDEN, HTML_TAG_NONE);
}

static bool attribute_is(const GumboElement *element, const char *name, struct slice value)
{
    const GumboAttribute *found = gumbo_get_attribute(&element->attributes, name);
    return found != NULL && slice_equal(slice_from_cstr(found->value), value);
}

/* The name as written, for elements that gumbo has no number for. */
static bool element_is(const GumboElement *element, struct slice name)
{
    GumboStringPiece written = element->original_tag;
    gumbo_tag_from_original_text(&written);
    return slice_equal_fold(slice_make(written.data, written.length), name);
}

static bool element_is_hidden(const GumboElement *element)
{
    static const GumboTag hidden[] = {
        GUMBO_TAG_SCRIPT,   GUMBO_TAG_STYLE,  GUMBO_TAG_TEMPLATE,
        GUMBO_TAG_NOSCRIPT, GUMBO_TAG_IFRAME, GUMBO_TAG_NOEMBED,
        GUMBO_TAG_NOFRAMES, GUMBO_TAG_OBJECT, GUMBO_TAG_TITLE,
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        if (element->tag == hidden[i]) {
            return true;
        }
    }
    if (element->tag_namespace == GUMBO_NAMESPACE_SVG) {
        return true;
    }
    if (element->tag == GUMBO_TAG_UNKNOWN) {
        return element_is(element, SLICE("mx-reply"));
    }
    /* KaTeX draws a formula twice: once as MathML and once as a heap of spans */
    return element->tag == GUMBO_TAG_SPAN && attribute_is(element, "class", SLICE("katex-html"));
}

static struct html_event event_text(struct html_walk *walk, struct slice text)
{
    return (struct html_event){.kind = HTML_TEXT, .text = html_clean_text(walk->arena, text)};
}

static struct html_event event_math(struct html_walk *walk, struct slice tex)
{
    const struct slice copy = arena_copy(walk->arena, html_clean_text(walk->arena, tex));
    return (struct html_event){.kind = HTML_MATH, .text = slice_trim(copy)};
}

static void enter_math(struct html_walk *walk, const GumboElement *element)
{
    walk->in_math = true;
    walk->has_tex = false;
    walk->math_text.len = 0;
    walk->tex.len = 0;
    push(walk, &element->children, FRAME_MATH, HTML_TAG_NONE);
}

/* Goes into the element; true if that is an event. */
static bool enter(struct html_walk *walk, const GumboElement *element, struct html_event *event)
{
    const bool is_html = element->tag_namespace == GUMBO_NAMESPACE_HTML;
    const enum html_tag tag = is_html ? tag_from_gumbo(element->tag) : HTML_TAG_NONE;
    const GumboAttribute *maths = gumbo_get_attribute(&element->attributes, "data-mx-maths");

    if (walk->in_math) {
        const bool is_tex = element_is(element, SLICE("annotation")) &&
                            attribute_is(element, "encoding", SLICE("application/x-tex"));
        walk->in_tex = walk->in_tex || is_tex;
        walk->has_tex = walk->has_tex || is_tex;
        push(walk, &element->children, is_tex ? FRAME_TEX : FRAME_HIDDEN, HTML_TAG_NONE);
        return false;
    }
    if (element->tag_namespace == GUMBO_NAMESPACE_MATHML && element->tag == GUMBO_TAG_MATH) {
        enter_math(walk, element);
        return false;
    }
    if (maths != NULL && (tag == HTML_TAG_SPAN || tag == HTML_TAG_DIV)) {
        *event = event_math(walk, slice_from_cstr(maths->value));
        return true;
    }
    if (tag == HTML_TAG_NONE || walk->listed == HTML_DEPTH_MAX) {
        push(walk, &element->children, FRAME_HIDDEN, HTML_TAG_NONE);
        return false;
    }
    push(walk, &element->children, FRAME_LISTED, tag);
    walk->listed++;
    *event = (struct html_event){.kind = HTML_OPEN, .tag = tag, .element = element};
    return true;
}

static bool leave_math(struct html_walk *walk, struct html_event *event)
{
    walk->in_math = false;
    walk->in_tex = false;
    if (walk->has_tex) {
        *event = event_math(walk, buf_slice(&walk->tex));
        return true;
    }
    *event = event_text(walk, arena_copy(walk->arena, buf_slice(&walk->math_text)));
    return event->text.len > 0;
}

/* Goes out of the innermost element; true if that is an event. */
static bool leave(struct html_walk *walk, struct html_event *event)
{
    const struct frame frame = walk->frames[--walk->count];
    switch (frame.kind) {
    case FRAME_HIDDEN:
        return false;
    case FRAME_LISTED:
        walk->listed--;
        *event = (struct html_event){.kind = HTML_CLOSE, .tag = frame.tag};
        return true;
    case FRAME_MATH:
        return leave_math(walk, event);
    case FRAME_TEX:
        walk->in_tex = false;
        return false;
    }
    return false;
}

static bool visit_text(struct html_walk *walk, struct slice text, struct html_event *event)
{
    if (walk->in_math) {
        buf_put(walk->in_tex ? &walk->tex : &walk->math_text, text);
        return false;
    }
    *event = event_text(walk, text);
    return true;
}

static bool visit(struct html_walk *walk, const GumboNode *node, struct html_event *event)
{
    switch (node->type) {
    case GUMBO_NODE_ELEMENT:
        return !element_is_hidden(&node->v.element) && enter(walk, &node->v.element, event);
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_WHITESPACE:
    case GUMBO_NODE_CDATA:
        return visit_text(walk, slice_from_cstr(node->v.text.text), event);
    case GUMBO_NODE_DOCUMENT:
    case GUMBO_NODE_COMMENT:
    case GUMBO_NODE_TEMPLATE:
        return false;
    }
    return false;
}

struct html_event html_walk_next(struct html_walk *walk)
{
    struct html_event event = {.kind = HTML_END};
    bool is_event = false;
    while (!is_event && walk->count > 0) {
        struct frame *frame = &walk->frames[walk->count - 1];
        if (frame->next == frame->children->length) {
            is_event = leave(walk, &event);
        } else {
            is_event = visit(walk, frame->children->data[frame->next++], &event);
        }
    }
    return event;
}

bool html_event_attribute(const struct html_walk *walk,
                          const struct html_event *event,
                          const char *name,
                          struct slice *out)
{
    CHECK(event->kind == HTML_OPEN);
    const GumboElement *element = event->element;
    const GumboAttribute *found = gumbo_get_attribute(&element->attributes, name);
    if (found == NULL) {
        return false;
    }
    *out = html_clean_text(walk->arena, slice_from_cstr(found->value));
    return true;
}

struct slice html_event_language(const struct html_walk *walk, const struct html_event *event)
{
    struct slice classes = SLICE_EMPTY;
    if (!html_event_attribute(walk, event, "class", &classes)) {
        return SLICE_EMPTY;
    }
    struct slice language = slice_cut(&classes, ' ');
    if (slice_starts_with(language, SLICE("language-"))) {
        language = slice_from(language, SLICE("language-").len);
    }
    const char *const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "+#._-";
    for (size_t i = 0; i < language.len; i++) {
        if (strchr(allowed, language.ptr[i]) == NULL) {
            return SLICE_EMPTY;
        }
    }
    return language.len <= LANGUAGE_BYTES_MAX ? language : SLICE_EMPTY;
}

int64_t html_event_start(const struct html_walk *walk, const struct html_event *event)
{
    struct slice text = SLICE_EMPTY;
    int64_t start = 1;
    if (!html_event_attribute(walk, event, "start", &text) || slice_to_int(text, &start) != RC_OK ||
        start < 1 || start > 999999999) {
        return 1;
    }
    return start;
}
