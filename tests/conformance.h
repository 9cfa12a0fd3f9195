/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conformance.h - one contract, and every registered backend held to it
 *
 * The suite runs each of its tests for every variant of every backend on every
 * machine of rig.c, with the model beside it.
 */
#ifndef PAGETAX_TESTS_CONFORMANCE_H
#define PAGETAX_TESTS_CONFORMANCE_H

#include <check.h>

Suite *conformance_suite(void);

#endif
