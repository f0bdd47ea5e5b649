/* How reports look, on the screen and in print: the text of their one style element, so
 * that a policy which allows this text by its hash allows them. */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

extern const char REPORT_STYLE[];

#endif
