"""The charts' colours by the reader's theme, so that a chart follows when the theme changes under it.

A page is asked anew only when somebody does something; until then a figure keeps the colours that it was drawn
with. The sheet gives each colour of `core.charts.theme` its twin in the other theme; a test holds the two together.
"""

from __future__ import annotations

import streamlit as st


def draw_inks() -> None:
    """Draw the sheet."""
    st.html(
        """<style>
        .main-svg :is([style*="fill: rgb(27, 39, 53)"], [style*="fill: rgb(233, 237, 243)"]) {
          fill: light-dark(#1B2735, #E9EDF3) !important}
        .main-svg :is([style*="stroke: rgb(27, 39, 53)"], [style*="stroke: rgb(233, 237, 243)"]) {
          stroke: light-dark(#1B2735, #E9EDF3) !important}
        .main-svg :is([style*="fill: rgb(92, 105, 120)"], [style*="fill: rgb(157, 169, 184)"]) {
          fill: light-dark(#5C6978, #9DA9B8) !important}
        .main-svg :is([style*="stroke: rgb(92, 105, 120)"], [style*="stroke: rgb(157, 169, 184)"]) {
          stroke: light-dark(#5C6978, #9DA9B8) !important}
        .main-svg :is([style*="fill: rgb(228, 233, 239)"], [style*="fill: rgb(42, 52, 67)"]) {
          fill: light-dark(#E4E9EF, #2A3443) !important}
        .main-svg :is([style*="stroke: rgb(228, 233, 239)"], [style*="stroke: rgb(42, 52, 67)"]) {
          stroke: light-dark(#E4E9EF, #2A3443) !important}
        .main-svg :is([style*="fill: rgb(238, 242, 246)"], [style*="fill: rgb(30, 39, 52)"]) {
          fill: light-dark(#EEF2F6, #1E2734) !important}
        .main-svg :is([style*="stroke: rgb(238, 242, 246)"], [style*="stroke: rgb(30, 39, 52)"]) {
          stroke: light-dark(#EEF2F6, #1E2734) !important}
        .main-svg :is([style*="fill: rgb(255, 255, 255)"], [style*="fill: rgb(26, 34, 48)"]) {
          fill: light-dark(#FFFFFF, #1A2230) !important}
        .main-svg :is([style*="stroke: rgb(255, 255, 255)"], [style*="stroke: rgb(26, 34, 48)"]) {
          stroke: light-dark(#FFFFFF, #1A2230) !important}
        .main-svg :is([style*="fill: rgb(163, 174, 187)"], [style*="fill: rgb(102, 115, 127)"]) {
          fill: light-dark(#A3AEBB, #66737F) !important}
        .main-svg :is([style*="stroke: rgb(163, 174, 187)"], [style*="stroke: rgb(102, 115, 127)"]) {
          stroke: light-dark(#A3AEBB, #66737F) !important}
        .main-svg :is([style*="fill: rgb(185, 203, 229)"], [style*="fill: rgb(43, 70, 110)"]) {
          fill: light-dark(#B9CBE5, #2B466E) !important}
        .main-svg :is([style*="stroke: rgb(185, 203, 229)"], [style*="stroke: rgb(43, 70, 110)"]) {
          stroke: light-dark(#B9CBE5, #2B466E) !important}
        .main-svg :is([style*="fill: rgb(34, 88, 167)"], [style*="fill: rgb(75, 137, 224)"]) {
          fill: light-dark(#2258A7, #4B89E0) !important}
        .main-svg :is([style*="stroke: rgb(34, 88, 167)"], [style*="stroke: rgb(75, 137, 224)"]) {
          stroke: light-dark(#2258A7, #4B89E0) !important}
        .main-svg :is([style*="fill: rgb(212, 130, 60)"], [style*="fill: rgb(243, 158, 32)"]) {
          fill: light-dark(#D4823C, #F39E20) !important}
        .main-svg :is([style*="stroke: rgb(212, 130, 60)"], [style*="stroke: rgb(243, 158, 32)"]) {
          stroke: light-dark(#D4823C, #F39E20) !important}
        .main-svg :is([style*="fill: rgb(32, 138, 106)"], [style*="fill: rgb(84, 205, 163)"]) {
          fill: light-dark(#208A6A, #54CDA3) !important}
        .main-svg :is([style*="stroke: rgb(32, 138, 106)"], [style*="stroke: rgb(84, 205, 163)"]) {
          stroke: light-dark(#208A6A, #54CDA3) !important}
        .main-svg :is([style*="fill: rgb(115, 59, 108)"], [style*="fill: rgb(163, 104, 151)"]) {
          fill: light-dark(#733B6C, #A36897) !important}
        .main-svg :is([style*="stroke: rgb(115, 59, 108)"], [style*="stroke: rgb(163, 104, 151)"]) {
          stroke: light-dark(#733B6C, #A36897) !important}
        .main-svg :is([style*="fill: rgb(110, 177, 209)"], [style*="fill: rgb(176, 223, 249)"]) {
          fill: light-dark(#6EB1D1, #B0DFF9) !important}
        .main-svg :is([style*="stroke: rgb(110, 177, 209)"], [style*="stroke: rgb(176, 223, 249)"]) {
          stroke: light-dark(#6EB1D1, #B0DFF9) !important}
        .main-svg :is([style*="fill: rgb(163, 40, 37)"], [style*="fill: rgb(202, 77, 79)"]) {
          fill: light-dark(#A32825, #CA4D4F) !important}
        .main-svg :is([style*="stroke: rgb(163, 40, 37)"], [style*="stroke: rgb(202, 77, 79)"]) {
          stroke: light-dark(#A32825, #CA4D4F) !important}
        .main-svg :is([style*="fill: rgb(211, 169, 0)"], [style*="fill: rgb(252, 222, 135)"]) {
          fill: light-dark(#D3A900, #FCDE87) !important}
        .main-svg :is([style*="stroke: rgb(211, 169, 0)"], [style*="stroke: rgb(252, 222, 135)"]) {
          stroke: light-dark(#D3A900, #FCDE87) !important}
        </style>"""
    )
